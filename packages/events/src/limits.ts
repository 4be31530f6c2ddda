/** The bounds of the contract: what a producer sends, and what a receiver still takes. */

/** Events a producer puts in one entry. */
export const EVENTS_PER_ENTRY = 50;
/** Bytes of `Detail` a producer fills: EventBridge bills by the 64 KB. */
export const DETAIL_BYTES = 60 * 1024;
/** Events a receiver takes in one entry; past EVENTS_PER_ENTRY it alerts. */
export const EVENTS_PER_ENTRY_MAX = 1000;
/** Bytes of one entry a receiver takes: EventBridge's own limit for a PutEvents call. */
export const ENTRY_BYTES_MAX = 256 * 1024;
/** Entries in one PutEvents call, by EventBridge. */
export const ENTRIES_PER_CALL = 10;
/** Bytes of one PutEvents call, by EventBridge. */
export const CALL_BYTES_MAX = 256 * 1024;
/** Offers in one 402 that are kept; an honest server makes a handful. */
export const OFFERS_MAX = 32;
/** Labels of one request. */
export const LABELS_MAX = 8;
/** What is kept of an entry that is too large to keep. */
export const QUARANTINE_HEAD_BYTES = 1024;
