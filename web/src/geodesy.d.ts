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
  export class Utm {
    toString(digits?: number): string;
  }
  export class LatLon {
    constructor(lat: number, lon: number);
    toUtm(): Utm;
  }
}
declare module 'geodesy/mgrs.js' {
  export class Mgrs {
    toString(digits?: number): string;
  }
  export class Utm {
    toMgrs(): Mgrs;
  }
  export class LatLon {
    constructor(lat: number, lon: number);
    toUtm(): Utm;
  }
}
