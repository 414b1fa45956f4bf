//! Which distributions on the package index bring which Python module.

/// Import name (or the start of a dotted one) and the distributions that bring it, where the names differ.
const BROUGHT_BY: &[(&str, &[&str])] = &[
    ("OpenSSL", &["pyopenssl"]),
    ("Crypto", &["pycryptodome", "pycrypto"]),
    ("Cryptodome", &["pycryptodomex"]),
    ("Levenshtein", &["levenshtein", "python-levenshtein"]),
    ("MySQLdb", &["mysqlclient"]),
    ("PIL", &["pillow", "pillow-simd"]),
    ("attr", &["attrs"]),
    ("bs4", &["beautifulsoup4"]),
    ("constructs", &["constructs", "aws-cdk-lib"]),
    ("aws_cdk", &["aws-cdk-lib"]),
    ("corsheaders", &["django-cors-headers"]),
    ("cv2", &["opencv-python", "opencv-python-headless", "opencv-contrib-python"]),
    ("dateutil", &["python-dateutil"]),
    ("discord", &["discord-py", "py-cord"]),
    ("django_filters", &["django-filter"]),
    ("docx", &["python-docx"]),
    ("dns", &["dnspython"]),
    ("dotenv", &["python-dotenv"]),
    ("environ", &["django-environ"]),
    ("faiss", &["faiss-cpu", "faiss-gpu"]),
    ("fitz", &["pymupdf"]),
    ("flask_jwt_extended", &["flask-jwt-extended"]),
    ("git", &["gitpython"]),
    ("github", &["pygithub"]),
    ("grpc", &["grpcio"]),
    ("jose", &["python-jose"]),
    ("jwt", &["pyjwt"]),
    ("kafka", &["kafka-python", "kafka-python-ng"]),
    ("ldap", &["python-ldap"]),
    ("magic", &["python-magic"]),
    ("memcache", &["python-memcached"]),
    ("mpl_toolkits", &["matplotlib"]),
    ("multipart", &["python-multipart"]),
    ("mysql", &["mysql-connector-python", "mysql-connector"]),
    ("nacl", &["pynacl"]),
    ("pkg_resources", &["setuptools"]),
    ("pptx", &["python-pptx"]),
    ("psycopg2", &["psycopg2", "psycopg2-binary"]),
    ("psycopg", &["psycopg", "psycopg-binary"]),
    ("psycopg_pool", &["psycopg-pool", "psycopg"]),
    ("pydantic_settings", &["pydantic-settings"]),
    ("pythonjsonlogger", &["python-json-logger"]),
    ("pywintypes", &["pywin32"]),
    ("rest_framework", &["djangorestframework"]),
    ("rest_framework_simplejwt", &["djangorestframework-simplejwt"]),
    ("ruamel", &["ruamel-yaml"]),
    ("serial", &["pyserial"]),
    ("skimage", &["scikit-image"]),
    ("sklearn", &["scikit-learn"]),
    ("slugify", &["python-slugify", "unicode-slugify"]),
    ("socketio", &["python-socketio"]),
    ("engineio", &["python-engineio"]),
    ("sentry_sdk", &["sentry-sdk"]),
    ("strawberry", &["strawberry-graphql"]),
    ("talib", &["ta-lib"]),
    ("telegram", &["python-telegram-bot"]),
    ("usb", &["pyusb"]),
    ("websocket", &["websocket-client"]),
    ("werkzeug", &["werkzeug"]),
    ("win32api", &["pywin32"]),
    ("wx", &["wxpython"]),
    ("xdist", &["pytest-xdist"]),
    ("yaml", &["pyyaml"]),
    ("zmq", &["pyzmq"]),
];

/// What a distribution brings along by its own dependencies. Importing that without naming it works.
const BRINGS: &[(&str, &str)] = &[
    ("aiohttp", "yarl multidict"),
    ("aws-lambda-powertools", "jmespath"),
    ("boto3", "botocore s3transfer dateutil urllib3 jmespath"),
    ("celery", "kombu billiard"),
    ("django", "asgiref sqlparse"),
    ("djangorestframework", "django"),
    ("fastapi", "starlette pydantic anyio typing_extensions"),
    ("flask", "werkzeug jinja2 click itsdangerous markupsafe"),
    ("flask-cors", "flask"),
    ("flask-marshmallow", "marshmallow flask"),
    ("flask-sqlalchemy", "sqlalchemy flask"),
    ("httpx", "httpcore anyio certifi"),
    ("langchain", "langchain_core pydantic"),
    ("matplotlib", "numpy PIL dateutil"),
    ("moto", "boto3 botocore"),
    ("pandas", "numpy dateutil pytz"),
    ("pydantic", "typing_extensions annotated_types pydantic_core"),
    ("pydantic-settings", "pydantic dotenv"),
    ("pytest", "_pytest pluggy"),
    ("requests", "urllib3 certifi idna charset_normalizer"),
    ("scikit-learn", "numpy scipy joblib"),
    ("scipy", "numpy"),
    ("sqlalchemy", "greenlet typing_extensions"),
    ("sqlmodel", "sqlalchemy pydantic"),
    ("starlette", "anyio"),
    ("torch", "numpy"),
    ("uvicorn", "click h11"),
];

/// A distribution's name as the index compares it: lower case, runs of `-_.` as one `-`.
pub fn normal(name: &str) -> String {
    let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
}

/// Whether a table here knows the module to be third-party under another name.
pub fn is_known(module: &str) -> bool {
    let first = module.split('.').next().unwrap_or(module);
    BROUGHT_BY.iter().any(|(name, _)| *name == first)
}

/// The distribution to name for an import, best guess.
pub fn suggested(module: &str) -> String {
    let first = module.split('.').next().unwrap_or(module);
    let known = BROUGHT_BY.iter().find(|(name, _)| *name == first);
    known.map_or_else(|| normal(first), |(_, distributions)| distributions[0].to_owned())
}

/// Whether one of the declared distributions (normal names) is the one of an import. Namespace packages such as
/// `google.cloud.storage` match on their first part.
pub fn declares(declared: &[String], module: &str) -> bool {
    let first = module.split('.').next().unwrap_or(module);
    let dashed = normal(first);
    let namespace = format!("{dashed}-");
    let known = BROUGHT_BY.iter().filter(|(name, _)| *name == first).flat_map(|(_, names)| names.iter());
    let shares_namespace = matches!(
        first,
        "google" | "azure" | "opentelemetry" | "zope" | "airflow" | "langchain" | "apache_beam"
    );
    known.into_iter().any(|name| declared.iter().any(|d| d == name))
        || declared.iter().any(|d| *d == dashed || shares_namespace && d.contains(&namespace))
        || declared.iter().any(|d| *d == format!("python-{dashed}") || *d == format!("py{dashed}"))
        || declared.iter().any(|d| *d == format!("{dashed}-py") || *d == format!("{dashed}-python"))
}

/// Whether a declared distribution brings the module by its own dependencies.
pub fn brings(declared: &[String], module: &str) -> bool {
    let first = module.split('.').next().unwrap_or(module);
    let brought = |d: &String| BRINGS.iter().find(|(name, _)| name == d).map_or("", |(_, modules)| *modules);
    declared.iter().any(|d| brought(d).split(' ').any(|name| name == first))
}
