/** How a range of a sparse index is asked of DynamoDB, and where its next page starts. */
import type { IndexName, Stored } from "@bursar/core/ports";
import { type Attributes, keyAttributes } from "./dynamodb-items.ts";
import { unknownCursor } from "./error.ts";

/** `from` is inclusive, "" for none; `to` is taken in where both are given (BETWEEN): the caller leaves it out. */
export function indexCondition(name: IndexName, partition: string, from: string, to: string | undefined) {
  const sort = `${name}S`;
  const conditions = [`${name}P = :partition`];
  if (from !== "" && to !== undefined) conditions.push(`${sort} BETWEEN :from AND :to`);
  else if (from !== "") conditions.push(`${sort} >= :from`);
  else if (to !== undefined) conditions.push(`${sort} < :to`);
  return {
    KeyConditionExpression: conditions.join(" AND "),
    ExpressionAttributeValues: {
      ":partition": { S: partition },
      ...(from === "" ? {} : { ":from": { S: from } }),
      ...(to === undefined ? {} : { ":to": { S: to } }),
    },
  };
}

export function indexCursor(name: IndexName, item: Stored): string {
  return Buffer.from(JSON.stringify([item.pk, item.sk, item.index?.[name]?.sort])).toString("base64url");
}

export function parseIndexCursor(name: IndexName, partition: string, after: string): Attributes {
  try {
    const [pk, sk, sort] = JSON.parse(Buffer.from(after, "base64url").toString()) as string[];
    if (typeof pk === "string" && typeof sk === "string" && typeof sort === "string") {
      return { ...keyAttributes({ pk, sk }), [`${name}P`]: { S: partition }, [`${name}S`]: { S: sort } };
    }
  } catch {
    // not even JSON
  }
  throw unknownCursor(after);
}
