/** One text for one value, whatever order its keys came in: what makes "the same fact" and "the least value" decidable. */
import { createHash } from "node:crypto";
import type { Json } from "./ports.ts";

/** JSON with sorted keys and without undefined members. */
export function canonical(value: Json | undefined): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  let text = "";
  for (const key of Object.keys(value).sort()) {
    const member = (value as { readonly [key: string]: Json | undefined })[key];
    if (member === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonical(member)}`;
  }
  return `{${text}}`;
}

/** 132 bits of SHA-256 in 22 characters: a short name for content. */
export function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
