import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// OMNIDESK_URL is where `npm run dev` finds the server.
const server = process.env.OMNIDESK_URL ?? "http://localhost:8080";

/** The policy that the Go server sends (its one source is embed.go), so that the preview is as strict. */
function contentSecurityPolicy(): string {
  const declaration = /ContentSecurityPolicy = ((?:"[^"]*"[\s+]*)+)/.exec(readFileSync("embed.go", "utf8"))?.[1] ?? "";
  const policy = [...declaration.matchAll(/"([^"]*)"/g)].map((part) => part[1]).join("");
  if (!policy.includes("script-src 'self'")) throw new Error("embed.go: no ContentSecurityPolicy found");
  return policy;
}

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // a data: font or script would need a looser Content-Security-Policy
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900, // kB; what every page needs, of which React and Mantine are most
    rolldownOptions: {
      output: {
        // A file of its own for each shared button costs a cold start more than its bytes: what every page needs in one,
        // what several need in another, and each page.
        codeSplitting: { groups: [{ name: "app", tags: ["$initial"], priority: 2 }, { name: "parts", test: /node_modules|src\/(api|components|features|lib)\//, minShareCount: 2, priority: 1 }] },
      },
    },
  },
  server: {
    port: 5173,
    proxy: {
      "/api": { target: server, ws: true },
      "/temporal": { target: server },
    },
  },
  preview: { headers: { "Content-Security-Policy": contentSecurityPolicy() } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
