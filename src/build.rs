//! Rebuilds when a migration or a schema is added: cargo does not see new files that a macro embeds.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=schemas");
}
