//! Arguments of `twin up` and `twin record`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
#[command(after_long_help = crate::local::FORMAT)]
pub(super) struct UpArgs {
    /// The first of three ports; 0: free ports
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) port: u16,
    /// Data directory; omitted: the local directory
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Delete the data of earlier runs first
    #[arg(long)]
    pub(super) fresh: bool,
    /// Refuse requests without a valid signature, or with keys other than the printed ones or those of this shell
    #[arg(long)]
    pub(super) verify_signatures: bool,
    /// Token quota per minute for each model, counted as Bedrock does
    #[arg(long, value_name = "N")]
    pub(super) quota_tpm: Option<u64>,
}

#[derive(Args, Debug)]
pub(super) struct RecordArgs {
    /// Directory for the recordings, one file per exchange; `twin up --answers DIR` replays them
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Server that answers; omitted: Bedrock in the region of the environment, and the Messages API at
    /// ANTHROPIC_BASE_URL
    #[arg(long, value_name = "URL")]
    pub(super) upstream: Option<String>,
    /// The first of three ports; 0: free ports
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) port: u16,
    /// Data directory of S3 and DynamoDB; omitted: the local directory
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}
