/** Days that a person means: today, yesterday, or a date that has begun. */
import { type Day, dayBefore, dayNamed, dayOf } from "@bursar/core/chain-day";
import { clean } from "@bursar/events/text";

/** The day; in words where it is none, or has not begun at `now`. */
export function dayFor(text: string, now: string): Day | string {
  const today = dayOf(now);
  if (text === "today") return today;
  if (text === "yesterday") return dayBefore(today);
  const day = dayNamed(text);
  if (day === null) return `"${clean(text, 80)}": write a day like ${today.name}, or today, or yesterday`;
  return day.start > today.start ? `${day.name}, and that has not begun: in UTC it is ${today.name}` : day;
}
