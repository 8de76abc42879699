import { defineConfig } from "vite";

// During development the API of a running `sensorcast up` answers behind the same address.
const api = "http://127.0.0.1:8080";

export default defineConfig({
  build: {
    outDir: "../src/sensorcast_api/page",
    emptyOutDir: true,
    target: "es2022",
    // Everything comes from our own server as a file: the Content-Security-Policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The charts weigh most and are loaded only where one is shown; tests keep the whole below 400 kB.
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/v1": api, "/docs": api, "/openapi.json": api } },
});
