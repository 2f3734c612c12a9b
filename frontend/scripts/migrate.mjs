/** Makes the schema and the tables of the accounts, or brings them up to date. */

import { getMigrations } from "better-auth/db/migration";
import nextEnv from "@next/env";
import { authOptions } from "../lib/auth-options.mjs";

nextEnv.loadEnvConfig(process.cwd(), false, { info: () => {}, error: console.error });

try {
  const { toBeCreated, toBeAdded, runMigrations } = await getMigrations(authOptions(process.env));
  await runMigrations();
  const changed = [...toBeCreated, ...toBeAdded].map(({ table }) => table);
  console.log(changed.length > 0 ? `Accounts: ${changed.join(", ")}` : "Accounts: up to date");
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
