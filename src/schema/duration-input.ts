/**
 * A length of time: a number counts seconds, text is as Compose writes it: `"5s"`, `"1m30s"`, `"500ms"`.
 * Where seconds are kept, as in a TTL, it must come to whole ones.
 */
export type DurationInput = string | number;
