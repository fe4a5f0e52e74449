// What is used of geodesy, which brings no types.

declare module 'geodesy/dms.js' {
  const Dms: { separator: string };
  export default Dms;
}
declare module 'geodesy/latlon-ellipsoidal.js' {
  export default class LatLon {
    constructor(lat: number, lon: number);
    toString(format: 'd' | 'dm' | 'dms', digits?: number): string;
  }
}
declare module 'geodesy/utm.js' {
  export default class Utm {
    static parse(text: string): Utm;
    toString(digits?: number): string;
    toLatLon(): { lat: number; lon: number };
  }
  export class LatLon {
    constructor(lat: number, lon: number);
    toUtm(): Utm;
  }
}
declare module 'geodesy/mgrs.js' {
  export default class Mgrs {
    static parse(text: string): Mgrs;
    toString(digits?: number): string;
    toUtm(): Utm;
  }
  export class Utm {
    toMgrs(): Mgrs;
    toLatLon(): { lat: number; lon: number };
  }
  export class LatLon {
    constructor(lat: number, lon: number);
    toUtm(): Utm;
  }
}
