//! CloudFormation and Terraform basics.

use super::told;

#[test]
fn a_template_has_resources_with_types() {
    let told = told(&[(
        "t.yaml",
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A:\n    Properties: {X: 'AWS::'}\n",
    )]);
    assert_eq!(told, ["t.yaml:3:3: error: the resource `A` has no Type"]);
}

#[test]
fn references_of_a_template_lead_somewhere() {
    let template = "AWSTemplateFormatVersion: '2010-09-09'\nParameters:\n  Name: {Type: String}\nResources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    DependsOn: Nothing\n    Properties:\n      BucketName: !Sub '${Nam}-${AWS::Region}-${!Text}'\nOutputs:\n  A: {Value: !GetAtt Bukket.Arn}\n  B: {Value: {Ref: Bucket}}\n  C: {Value: !Ref Name}\n";
    let told = told(&[("t.yaml", template)]);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].contains("t.yaml:7:16: error: `Nothing` is neither a resource nor a parameter"));
    assert!(told[1].contains("`Nam`") && told[1].contains("did you mean `Name`?"));
    assert!(told[2].contains("`Bukket`") && told[2].contains("did you mean `Bucket`?"));
}

#[test]
fn a_template_in_json_is_looked_into_too() {
    let template = "{\"Resources\": {\"Q\": {\"Type\": \"AWS::SQS::Queue\"}},\n \"Outputs\": {\"A\": {\"Value\": {\"Fn::GetAtt\": [\"QQ\", \"Arn\"]}}}}";
    let told = told(&[("t.json", template)]);
    assert!(told.len() == 1 && told[0].starts_with("t.json:2:") && told[0].contains("`QQ`"), "{told:?}");
}

#[test]
fn terraform_declares_each_address_once() {
    let told = told(&[("main.tf", "locals {\n  a = 1\n}\n"), ("more.tf", "locals {\n  a = 2\n}\n")]);
    assert_eq!(told, ["more.tf:2:3: error: `local.a` is declared twice; first in main.tf"]);
}

#[test]
fn terraform_references_are_declared_in_the_directory() {
    let main = "variable \"name\" {}\nresource \"aws_s3_bucket\" \"files\" {\n  bucket = var.nam\n}\noutput \"a\" {\n  value = \"${aws_s3_bucket.file.arn}-${local.x}\"\n}\n";
    let told = told(&[("main.tf", main)]);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].contains("main.tf:3:12: error: `var.nam` is not declared (did you mean `var.name`?)"));
    assert!(told[1].contains("`aws_s3_bucket.file`") && told[2].contains("`local.x`"));
}

#[test]
fn terraform_names_what_was_moved_or_removed() {
    let new = "resource \"aws_s3_bucket\" \"new\" {}\n";
    let moved = "moved {\n  from = aws_s3_bucket.old\n  to   = aws_s3_bucket.new\n}\n";
    let removed = "removed {\n  from = aws_s3_bucket.gone\n}\n";
    assert_eq!(told(&[("main.tf", &format!("{new}{moved}{removed}"))]), [""; 0]);
    assert!(told(&[("main.tf", moved)])[0].contains("`aws_s3_bucket.new` is not declared"));
}
