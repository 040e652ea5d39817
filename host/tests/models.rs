//! The trained models that come with the repository, and their records.

use firstspike::model_file;
use firstspike::sweep::Record;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

#[test]
fn each_model_is_the_one_of_its_record() {
    for name in ["mnist-accurate", "mnist-fast", "fashion-mnist"] {
        let path = folder().join(format!("{name}.fsp"));
        let record = Record::load(&path.with_extension("json")).expect(name);
        let model = model_file::load(&path).expect(name);
        let sum = Sha256::digest(fs::read(&path).unwrap());
        let sha256: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sha256, record.model_sha256, "{name}");
        assert_eq!(model.network.sizes(), record.layers, "{name}");
        assert_eq!(model.network.steps(), record.steps, "{name}");
        assert_eq!(record.test.mismatches, 0, "{name}");
    }
}
