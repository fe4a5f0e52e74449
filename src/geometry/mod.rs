//! Pure geometry: coordinates, traverses, rings and areas. Knows no records and no database.
