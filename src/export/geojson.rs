//! GeoJSON. What the file says of itself are members of the collection.

use std::fs::File;
use std::io::{BufWriter, Seek as _, Write as _};

use serde_json::json;

use super::layer::Layer;
use super::{Result, Spool, Writer, projection};
use crate::ogc::feature::{Feature, Form};

/// Writes GeoJSON.
pub(super) struct GeoJson<'l> {
    layer: &'l Layer,
    form: Form<'l>,
    lost: usize,
    file: BufWriter<File>,
    any: bool,
}

impl<'l> GeoJson<'l> {
    pub(super) fn begin(layer: &'l Layer, spool: &Spool) -> Result<Self> {
        let mut file = BufWriter::new(spool.file()?);
        let (name, seq) = (json!(layer.document.name), layer.document.seq);
        write!(file, r#"{{"type":"FeatureCollection","name":{name},"seq":{seq}"#)?;
        // `crs` as text would be taken for the member of the same name.
        let said = layer.document.members().into_iter().filter(|(name, _)| !["crs", "seq"].contains(name));
        for (name, value) in said {
            write!(file, ",{}:{}", json!(name), json!(value))?;
        }
        let code = projection::code(layer.crs);
        let urn = match code {
            projection::WGS84 => "urn:ogc:def:crs:OGC:1.3:CRS84".to_owned(),
            code => format!("urn:ogc:def:crs:EPSG::{code}"),
        };
        write!(file, r#","crs":{},"features":["#, json!({"type": "name", "properties": {"name": urn}}))?;
        let form = Form::new(&layer.collection, layer.chosen.as_deref(), layer.crs);
        Ok(Self { layer, form, lost: 0, file, any: false })
    }
}

impl Writer for GeoJson<'_> {
    fn add(&mut self, feature: &Feature) -> Result<()> {
        self.lost += usize::from(self.layer.is_lost(feature));
        let mut out = Vec::new();
        if self.any {
            out.push(b',');
        }
        out.push(b'\n');
        self.form.write(&mut out, feature);
        self.any = true;
        self.file.write_all(&out)?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        self.file.write_all(b"\n]")?;
        // Known only now: what stands before the features is written.
        if let Some((name, text)) = self.layer.lost(self.lost) {
            write!(self.file, ",{}:{}", json!(name), json!(text))?;
        }
        self.file.write_all(b"}\n")?;
        let mut file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}
