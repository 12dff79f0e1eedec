/**
 * What Pulumi hands us for a value that only `up` will know. Such a value can't be parsed yet; it is taken as given so
 * that a preview can still show which policies will exist.
 */
export const UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
