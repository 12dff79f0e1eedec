import { distance } from "fastest-levenshtein";
import { z } from "zod";

/** What YAML made of a word without quotes, or which word was meant; undefined where nothing can be guessed. */
export function valueHint(node: z.ZodType, name: string, value: unknown): string | undefined {
  const quote = (made: string, text: string) => `quote it, as YAML makes ${made} of it: ${name}: "${text}"`;
  const members = node instanceof z.ZodEnum ? node.options.map(String) : undefined;
  const isText = members !== undefined || node instanceof z.ZodString || node instanceof z.ZodISODateTime;
  if (isText && typeof value === "number")
    return quote("a number", members?.find((member) => Number(member) === value) ?? "...");
  if (members && typeof value === "boolean" && !members.includes(String(value))) return eachOf(members);
  if (isText && typeof value === "boolean") return quote(String(value), String(value));
  if (typeof value !== "string") return undefined;
  if (isText) {
    const time = timeMeant(value);
    if (time) return quote("a time", time);
  }
  if (members) return wordMeant(value, members) ?? eachOf(members);
  if (node instanceof z.ZodBoolean && /^(on|yes|y|true)$/i.test(value)) return `write ${name}: true`;
  if (node instanceof z.ZodBoolean && /^(off|no|n|false)$/i.test(value)) return `write ${name}: false`;
  if (!isText && /^\d+(\.\d+)?$/.test(value)) return `write it without quotes: ${name}: ${value}`;
  return undefined;
}

/** Where there are few, none is put forward: who wrote "block" did not mean the first, which is audit. */
function eachOf(members: readonly string[]): string | undefined {
  return members.length <= 3 ? `write ${members.join(" or ")}` : undefined;
}

/** A time as Go prints it, which is what Pulumi makes of one without quotes. */
function timeMeant(text: string): string | undefined {
  const [, date, time, hours = "", minutes = ""] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d\d)(\d\d) /.exec(text) ?? [];
  if (!date) return undefined;
  return `${date}T${time}${hours === "+00" && minutes === "00" ? "Z" : `${hours}:${minutes}`}`;
}

function wordMeant(text: string, members: readonly string[]): string | undefined {
  const far = (member: string) => distance(text.trim().toLowerCase(), member.toLowerCase());
  const [nearest] = [...members].sort((a, b) => far(a) - far(b));
  return nearest !== undefined && far(nearest) <= Math.max(1, Math.floor(nearest.length / 3))
    ? `did you mean ${nearest}?`
    : undefined;
}

/** Where in the settings a key of this name is, in the words of the config. */
export function placesOf(schema: z.ZodType, key: string, path = ""): string[] {
  if (schema instanceof z.ZodOptional) return placesOf(schema.unwrap() as z.ZodType, key, path);
  if (schema instanceof z.ZodArray) return placesOf(schema.element as z.ZodType, key, `${path}[]`);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, child]) => {
    const place = path ? `${path}.${name}` : name;
    return [...(name === key ? [place] : []), ...placesOf(child, key, place)];
  });
}
