export { type Keys, openKeys } from "./keys.ts";
export { openLook } from "./look.ts";
export { openSqlStore } from "./sql-store.ts";
