/** What producers install: the emitter, and one line round each x402 part. The one entry of the published package. */

export type { EmitInput, Emitter, EmitterOptions, EmitterStats, Producer } from "./emitter.ts";
export { createEmitter } from "./emitter.ts";
export { REQUEST_HEADER } from "./request-header.ts";
export type { ClientOptions, SessionRef } from "./x402-client.ts";
export { instrumentFetch } from "./x402-client.ts";
export type { Facilitator, FacilitatorOptions } from "./x402-facilitator.ts";
export { instrumentFacilitator } from "./x402-facilitator.ts";
export type { ResourceServer, ServerOptions } from "./x402-server.ts";
export { instrumentExpress, instrumentServer } from "./x402-server.ts";
