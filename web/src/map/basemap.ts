// The operator's own base map, where the server has one (README, "The operator's own map"): under the programme's
// layers, grey and without names, so that nothing on it is taken for a hazard or for clear ground.

import { AttributionControl, addProtocol, type LayerSpecification, type Map as MapLibre } from 'maplibre-gl';
import { EtagMismatch, PMTiles, Protocol, type RangeResponse, type Source, TileType } from 'pmtiles';
import { api, isProblem } from '../api';

const ADDRESS = '/v1/basemap';
/** The programme's first layer that the ground must show through: what is below it is filled. */
const BELOW = 'units-2';

/** The file in parts, as whoever is logged in. */
const file: Source = {
  getKey: () => ADDRESS,
  getBytes: async (offset, length, signal, known): Promise<RangeResponse> => {
    const headers = { range: `bytes=${offset}-${offset + length - 1}` };
    const answer = await api.raw(ADDRESS, { headers, signal });
    const etag = answer.headers.get('etag') ?? undefined;
    // The operator has put another one there.
    if (known && etag !== known) throw new EtagMismatch(ADDRESS);
    return { data: await answer.arrayBuffer(), etag };
  },
};

const protocol = new Protocol();
addProtocol('pmtiles', protocol.tile);
let archive = begin();

/** The archive remembers what it has read, and that it could not be read. */
function begin(): PMTiles {
  const begun = new PMTiles(file);
  protocol.add(begun);
  return begun;
}

/** How a layer of vector tiles is drawn, by what people call such layers. */
const INKS: [called: RegExp, fill: string, line: string][] = [
  [/water|ocean|sea|lake|river/i, '#d3dee3', '#c3d0d6'],
  [/build/i, '#dedbd3', '#cfcbc2'],
  [/road|transport|street|rail|path/i, '#e4e1da', '#bdb9b0'],
  [/bound|admin/i, '#f3f1ea', '#a9adb0'],
  [/earth|land|background/i, '#f1efe8', '#dedbd3'],
];
const OTHERWISE = ['', '#e8e6de', '#cbc8bf'] as const;

function layersOf(name: string): LayerSpecification[] {
  const [, fill, line] = INKS.find(([called]) => called.test(name)) ?? OTHERWISE;
  const about = { source: 'basemap', 'source-layer': name } as const;
  return [
    {
      ...about,
      id: `basemap-${name}-fill`,
      type: 'fill',
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': fill },
    },
    {
      ...about,
      id: `basemap-${name}-line`,
      type: 'line',
      filter: ['==', ['geometry-type'], 'LineString'],
      paint: { 'line-color': line, 'line-width': ['interpolate', ['linear'], ['zoom'], 6, 0.5, 14, 2.5] },
    },
  ];
}

/** Areas below lines, and the land below all of them. */
function order({ id, type }: LayerSpecification): number {
  if (type === 'line') return 2;
  return /earth|land|background/i.test(id) ? 0 : 1;
}

const raster: LayerSpecification = {
  id: 'basemap',
  type: 'raster',
  source: 'basemap',
  paint: { 'raster-saturation': -0.7, 'raster-opacity': 0.75 },
};

/** Draws the base map; where the server has none the countries stay alone. On paper its makers are named, too. */
export async function addBaseMap(map: MapLibre, paper: boolean): Promise<void> {
  const about = await aboutFile();
  // The map may be gone meanwhile.
  if (!about || !map.getLayer(BELOW)) return;
  const vector = about.tileType === TileType.Mvt;
  map.addSource('basemap', {
    type: vector ? 'vector' : 'raster',
    url: `pmtiles://${ADDRESS}`,
    ...(vector ? {} : { tileSize: 256 }),
    attribution: about.attribution,
  });
  const layers = vector
    ? about.layers.flatMap(layersOf).sort((one, other) => order(one) - order(other))
    : [raster];
  for (const layer of layers) map.addLayer(layer, BELOW);
  if (paper) map.addControl(new AttributionControl({ compact: false }));
}

interface About {
  tileType: TileType;
  layers: string[];
  attribution: string;
}

async function aboutFile(): Promise<About | null> {
  try {
    const { tileType } = await archive.getHeader();
    const told = (await archive.getMetadata()) as { vector_layers?: { id: string }[]; attribution?: string };
    // Markup of a file is nothing for our page.
    const attribution = (told.attribution ?? '').replace(/<[^>]*>?/g, '');
    return { tileType, layers: told.vector_layers?.map(({ id }) => id) ?? [], attribution };
  } catch (fault) {
    if (!isProblem(fault, 404)) {
      console.warn('the base map cannot be read', fault);
      archive = begin();
    }
    return null;
  }
}
