//! The program of README.md, word for word below this line: `.ci/readme` compares and runs it.

use claude_code_aws::{GenerateRequest, PicoUsd, local};

#[tokio::main(flavor = "current_thread")]
async fn main() -> claude_code_aws::Result<()> {
    let client = local::open("state").await?; // or claude_code_aws::connect(Config::from_env()?) for AWS
    let request = GenerateRequest::new("a queue with a timeout")
        .with_language("rust")
        .with_max_usd(PicoUsd::from_usd("0.50")?);
    let generation = client.generate(request).await?;
    println!("{}", generation.code()?);
    println!("accepted {}, cost {}", generation.accepted, generation.receipt.total());
    Ok(())
}
