/** Text for Slack: its three control characters escaped, within the length of each place. */

/** Slack's rule: &, < and > stand for mentions and links unless they are escaped, and no other character does. */
export function slackEscaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The escaped text in pieces of at most `lengthMax`; no piece ends within a character or an escape. */
export function slackPieces(text: string, lengthMax: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const character of text) {
    const escaped = slackEscaped(character);
    if (piece.length + escaped.length > lengthMax) {
      pieces.push(piece);
      piece = "";
    }
    piece += escaped;
  }
  return piece === "" ? pieces : [...pieces, piece];
}

/** The first such piece; "-" for none, since Slack refuses empty texts. */
export const slackCut = (text: string, lengthMax: number): string => slackPieces(text, lengthMax)[0] ?? "-";
