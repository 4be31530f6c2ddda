/** A data plane at an address of its own, without a chain: for tests and measurements of those who call AgentCore. */
import { openSite } from "../site.ts";
import { createDataPlane, type DataPlane, type DataPlaneOptions } from "./data-plane.ts";

export interface OpenDataPlane {
  /** Such as `http://127.0.0.1:4023`: the `endpoint` of a BedrockAgentCoreClient. */
  readonly url: string;
  readonly plane: DataPlane;
  /** Cuts what is under way and gives the address back. */
  close(): Promise<void>;
}

export async function openDataPlane(options: DataPlaneOptions): Promise<OpenDataPlane> {
  const plane = createDataPlane(options);
  const site = await openSite();
  site.serve(plane.listener);
  return { url: site.url, plane, close: () => site.close() };
}
