/** The events that wait in memory, oldest first: taking from the front costs what is taken, however long it is. */
import type { Item } from "./entries.ts";

export interface Queue {
  readonly length: number;
  readonly bytes: number;
  readonly first: Item | undefined;
  push(item: Item): void;
  /** The oldest items, at most `count`; they stay. */
  peek(count: number): Item[];
  /** Takes the oldest items, at most `count`. */
  cut(count: number): Item[];
  /** Puts items back in front of all others. */
  putBack(items: readonly Item[]): void;
}

export function makeQueue(): Queue {
  let items: Item[] = [];
  /** What lies before it was taken. */
  let head = 0;
  let bytes = 0;

  return {
    get length() {
      return items.length - head;
    },
    get bytes() {
      return bytes;
    },
    get first() {
      return items[head];
    },
    push(item) {
      items.push(item);
      bytes += item.bytes;
    },
    peek: (count) => items.slice(head, head + count),
    cut(count) {
      const taken = items.slice(head, head + count);
      for (const item of taken) bytes -= item.bytes;
      head += taken.length;
      // Given up in halves, so that each item is moved about once.
      if (head > items.length / 2) {
        items = items.slice(head);
        head = 0;
      }
      return taken;
    },
    putBack(back) {
      if (back.length === 0) return;
      items = [...back, ...items.slice(head)];
      head = 0;
      for (const item of back) bytes += item.bytes;
    },
  };
}
