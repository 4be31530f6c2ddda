/** What the SDK calls itself in `detail.sdk`; a test holds it against package.json. */
export const SDK = { name: "@bursar/sdk", version: "0.1.0" } as const;
