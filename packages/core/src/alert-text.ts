/** Text in alerts: what strangers wrote made harmless, and all of it cut, wrapped and counted for the page. */
import { clean, TEXT_MAX } from "@bursar/events/text";

/** What is looked at of a longer text before it is cut. */
const READ_MAX = 4096;
/** Marks that nobody sees: joiners, direction marks, soft hyphens; and characters of nobody's. */
const INVISIBLE = /[\p{Cf}\p{Co}]/gu;

/** A stranger's text as data: one line of at most 256 characters, without anything that is not to be seen. */
export function dataText(text: string): string {
  const line = text.slice(0, READ_MAX).replace(/[\s\u0085]+/g, " ");
  return cutText(clean(line.replace(INVISIBLE, ""), READ_MAX).trim(), TEXT_MAX);
}

/** A stranger's text in which no mail or chat program finds a link, an address or a name to call. */
export function withoutLinks(text: string): string {
  return text
    .replaceAll("://", "[:]//")
    .replace(/\b(mailto|tel|javascript|data):/gi, "$1[:]")
    .replace(DOT_OF_HOST, "[.]")
    .replace(/@(?=[\p{L}\p{N}_])/gu, "@ ");
}

/** The point before what may be a top-level domain; not before the end of a file's or a config field's name. */
const DOT_OF_HOST =
  /(?<=[\p{L}\p{N}-])\.(?!(?:ts|mjs|json)(?![\p{L}\p{N}_-]))(?=(?:[A-Za-z][a-z]{1,23}|[A-Z]{2,24}|xn--[a-z0-9-]{1,59}|[\u0080-\uffff]+)(?![\p{L}\p{N}_]))/gu;

/** Printable ASCII only, anything else as a question mark; at most `lengthMax`, with three points where it was cut. */
export function asciiText(text: string, lengthMax: number): string {
  const plain = [...text].map((character) => (/^[ -~]$/.test(character) ? character : "?")).join("");
  return cutText(plain, lengthMax);
}

/** At most `lengthMax` characters, with three points where it was cut. */
export function cutText(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 3).trimEnd()}...`.toWellFormed();
}

/** Lines of at most `columns` columns, broken between words; a word that is longer than a line is broken in itself. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => piecesOf(one, columns))) {
    if (line !== "" && columnsOf(line) + 1 + columnsOf(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

function piecesOf(word: string, columns: number): string[] {
  if (columnsOf(word) <= columns) return [word];
  const pieces: string[] = [];
  let piece = "";
  for (const character of word) {
    if (columnsOf(piece) + columnsOf(character) > columns) {
      pieces.push(piece);
      piece = "";
    }
    piece += character;
  }
  return [...pieces, piece];
}

/** Columns of a fixed-width font: East Asian characters and emoji take two; none is taken for less than one. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += (character.codePointAt(0) as number) < 0x1100 ? 1 : 2;
  return columns;
}

/** 1234567 as "1,234,567". */
export const countText = (value: number): string => value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** "1 payment", "2 payments". */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${countText(value)} ${value === 1 ? one : many}`;

/** At the beginning of a sentence. */
export const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** "2026-11-20 12:00:11 UTC". */
export const timeText = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
