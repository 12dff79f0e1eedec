import { strict as assert } from "node:assert";
import type { UnwrappedObject } from "@pulumi/pulumi";
import type { z } from "zod";
import type { ImageSigningGuardArgs } from "../../../components/args";
import type { GuardConfig, guardSchema } from "../../../components/schema";

type KeysOf<T> = T extends readonly (infer Item)[]
  ? KeysOf<Item>
  : T extends object
    ? string extends keyof T
      ? never
      : { [Key in keyof T & string]: Key | `${Key}.${KeysOf<NonNullable<T[Key]>>}` }[keyof T & string]
    : never;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

describe("args and schema", () => {
  it("name the same settings at every depth (checked by the compiler)", () => {
    // Does not compile when an interface has a key that the schema would call unknown, or the other way round.
    const same: Same<KeysOf<UnwrappedObject<ImageSigningGuardArgs>>, KeysOf<GuardConfig>> = true;
    const accepted: (config: GuardConfig) => z.input<typeof guardSchema> = (config) => config;
    assert.equal(same, true);
    assert.equal(typeof accepted, "function");
  });
});
