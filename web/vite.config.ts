import { defineConfig } from 'vite';

/** The server that `npm run dev` shows pages of. */
const server = process.env.CONSOLE_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // Small files stay files: the policy of the page allows what comes from the server.
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    // Whose work is in it, and on what terms.
    license: { fileName: 'assets/licences.md' },
    rolldownOptions: {
      // Kept by browsers when the console changes.
      output: { codeSplitting: { groups: [{ name: 'maplibre', test: /node_modules\/maplibre-gl/ }] } },
    },
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': server, '/ogc': server, '/tiles': server } },
});
