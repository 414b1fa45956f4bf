//! Documents in several files.

use std::path::Path;

use super::*;
use crate::repair;

/// A document of these files, bundled; and what was said.
async fn bundled(files: &[(&str, &str)], refs: &[&str]) -> (Value, String) {
    let dir = tempfile::TempDir::new().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let place = Place::of(dir.path().join(files[0].0).to_str().unwrap());
    let refs: Vec<String> = refs.iter().map(|name| in_dir(dir.path(), name)).collect();
    let allowed = Allowed::new(&place, &refs).unwrap();
    let mut whole = document::read(&place).await.unwrap();
    let mut told = bundle(&mut whole, &place, &allowed).await.unwrap();
    told.extend(repair::repair(&mut whole).unwrap());
    (whole, told.join("\n").replace(dir.path().to_str().unwrap(), "."))
}

fn in_dir(dir: &Path, name: &str) -> String {
    if name.starts_with("http") { name.to_owned() } else { dir.join(name).to_str().unwrap().to_owned() }
}

const HEAD: &str = "openapi: 3.1.0\ninfo: { title: A, version: '1' }\n";

#[tokio::test]
async fn what_other_files_hold_is_put_among_the_components_by_its_kind() {
    let root = format!(
        "{HEAD}paths:\n  /tasks: {{ $ref: paths/tasks.yaml }}\ncomponents:\n  schemas:\n    Task: {{ type: string }}\n"
    );
    let tasks = "get:\n  operationId: list\n  parameters:\n    - $ref: ../common/parts.yaml#/parameters/Limit\n  responses:\n    '200': { $ref: '../common/parts.yaml#/responses/Tasks' }\n";
    let parts = "parameters:\n  Limit: { name: limit, in: query, schema: { $ref: '#/types/Count' } }\nresponses:\n  Tasks:\n    description: ok\n    content: { application/json: { schema: { type: array, items: { $ref: ../schemas/Task.json } } } }\ntypes:\n  Count: { type: integer }\n";
    let task = r##"{"type": "object", "properties": {"parent": {"$ref": "#"}, "owner": {"$ref": "User.json"}, "example": {"$ref": "User.json#/properties/name"}}}"##;
    let user = r#"{"type": "object", "properties": {"name": {"type": "string"}, "tasks": {"items": {"$ref": "./Task.json"}}}}"#;
    let files = [
        ("api/openapi.yaml", root.as_str()),
        ("api/paths/tasks.yaml", tasks),
        ("api/common/parts.yaml", parts),
        ("api/schemas/Task.json", task),
        ("api/schemas/User.json", user),
    ];
    let (whole, told) = bundled(&files, &[]).await;
    let get = &whole["paths"]["/tasks"]["get"];
    assert_eq!(get["parameters"][0]["$ref"], "#/components/parameters/Limit");
    assert_eq!(get["responses"]["200"]["$ref"], "#/components/responses/Tasks");
    let components = &whole["components"];
    assert_eq!(components["parameters"]["Limit"]["schema"]["$ref"], "#/components/schemas/Count");
    let items = &components["responses"]["Tasks"]["content"]["application/json"]["schema"]["items"];
    assert_eq!(items["$ref"], "#/components/schemas/Task_2", "Task was there already");
    let properties = &components["schemas"]["Task_2"]["properties"];
    assert_eq!(properties["parent"]["$ref"], "#/components/schemas/Task_2", "a cycle stays one");
    assert_eq!(properties["owner"]["$ref"], "#/components/schemas/User");
    assert_eq!(properties["example"]["$ref"], "#/components/schemas/name", "a property may be called so");
    assert_eq!(
        components["schemas"]["User"]["properties"]["tasks"]["items"]["$ref"],
        "#/components/schemas/Task_2"
    );
    assert!(!told.contains("anything is allowed"), "{told}");
    assert!(told.contains("read      ./api/common/parts.yaml: 3 parts of it"), "{told}");
}

#[tokio::test]
async fn a_file_beside_the_document_s_folder_and_a_url_are_read_only_when_named() {
    let root = format!(
        "{HEAD}paths:\n  /a:\n    get:\n      responses:\n        '200':\n          description: ok\n          content:\n            application/json:\n              schema:\n                anyOf: [{{ $ref: ../secret.json }}, {{ $ref: 'http://127.0.0.1:9/b.json' }}]\n"
    );
    let files = [("api/openapi.yaml", root.as_str()), ("secret.json", r#"{"title": "s3cr3t"}"#)];
    let (whole, told) = bundled(&files, &[]).await;
    assert!(!whole.to_string().contains("s3cr3t"));
    assert!(
        told.contains("$ref ../secret.json: is in another document, which was not read: --refs"),
        "{told}"
    );
    assert!(told.contains("--refs http://127.0.0.1:9 allows it"), "{told}");
    let (whole, told) = bundled(&files, &["."]).await;
    assert_eq!(whole["components"]["schemas"]["secret"]["title"], "s3cr3t", "{told}");
    let (_, told) = bundled(&files, &["http://127.0.0.1:9"]).await;
    assert!(told.contains("$ref http://127.0.0.1:9/b.json: is in another document"), "{told}");
    assert!(!told.contains("--refs http"), "it was asked for and does not answer: {told}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_out_of_the_folder_is_not_followed() {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("api")).unwrap();
    std::fs::write(dir.path().join("secret.json"), "{}").unwrap();
    std::os::unix::fs::symlink("../secret.json", dir.path().join("api/a.json")).unwrap();
    let root = Place::File(dir.path().join("api/openapi.yaml"));
    let allowed = Allowed::new(&root, &[]).unwrap();
    assert!(allowed.refusal(&root.join("a.json")).is_some());
}

#[tokio::test]
async fn references_into_the_midst_of_this_document_become_components_too() {
    let root = format!(
        "{HEAD}paths:\n  /a/{{id}}:\n    get:\n      operationId: a\n      parameters: [{{ name: id, in: path, required: true, schema: {{ type: integer }} }}]\n      responses: {{}}\n  /b/{{id}}:\n    get:\n      operationId: b\n      parameters: [{{ $ref: '#/paths/~1a~1%7Bid%7D/get/parameters/0' }}]\n      responses: {{}}\n"
    );
    let (whole, told) = bundled(&[("openapi.yaml", &root)], &[]).await;
    let get = &whole["paths"]["/b/{id}"]["get"];
    assert_eq!(get["parameters"][0]["$ref"], "#/components/parameters/parameters_0");
    assert_eq!(whole["components"]["parameters"]["parameters_0"]["name"], "id");
    assert_eq!(told, "");
}

#[tokio::test]
async fn a_discriminator_s_files_come_along() {
    let root = format!(
        "{HEAD}paths: {{ /a: {{}} }}\ncomponents:\n  schemas:\n    Pet: {{ discriminator: {{ propertyName: kind, mapping: {{ cat: cat.yaml, dog: Dog }} }} }}\n    Dog: {{ type: object }}\n"
    );
    let (whole, _) = bundled(&[("openapi.yaml", &root), ("cat.yaml", "type: object\n")], &[]).await;
    let mapping = &whole["components"]["schemas"]["Pet"]["discriminator"]["mapping"];
    assert_eq!(*mapping, json!({ "cat": "#/components/schemas/cat", "dog": "Dog" }));
    assert!(whole["components"]["schemas"]["cat"].is_object());
}

#[tokio::test]
async fn all_paths_may_lie_in_another_file_with_files_beside_it() {
    let root = format!("{HEAD}paths: {{ $ref: sub/paths.yaml }}\n");
    let paths = "/: { $ref: 'one.yaml#/root' }\n/other: { get: { responses: { '200': { $ref: '#/x' } } } }\nx: { description: ok }\n";
    let one = "root:\n  get: { responses: { '200': { description: ok, content: { a/json: { schema: { $ref: ../schemas.yaml#/Item } } } } } }\n";
    let files = [
        ("openapi.yaml", root.as_str()),
        ("sub/paths.yaml", paths),
        ("sub/one.yaml", one),
        ("schemas.yaml", "Item: { type: object }\n"),
    ];
    let (whole, told) = bundled(&files, &[]).await;
    let schema = &whole["paths"]["/"]["get"]["responses"]["200"]["content"]["a/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/Item", "{told}");
    assert_eq!(whole["paths"]["/other"]["get"]["responses"]["200"]["$ref"], "#/components/responses/x");
    assert!(!told.contains("anything is allowed"), "{told}");
}
