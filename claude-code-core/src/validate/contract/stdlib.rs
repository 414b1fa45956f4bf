//! Names that Python brings along.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Modules of the standard library, 3.9 to 3.14, by their first part, with those removed in between.
const MODULES: &str = "
    __future__ __main__ _thread abc aifc annotationlib antigravity argparse array ast asynchat
    asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins bz2 cProfile calendar
    cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall compression
    concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses
    datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno
    faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath
    getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib
    imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale
    logging lzma macpath mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt
    multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os
    ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix
    posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri
    random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve
    shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile
    sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau symbol
    symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this
    threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle
    turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref
    webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
";

/// Names that need no definition: builtins, what a module has by itself, and what notebooks and gettext add.
const BUILTINS: &str = "
    ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError
    BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError
    ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Ellipsis
    EncodingWarning EnvironmentError Exception ExceptionGroup False FileExistsError
    FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError
    ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError
    KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError None NotADirectoryError
    NotImplemented NotImplementedError OSError OverflowError PendingDeprecationWarning
    PermissionError ProcessLookupError PythonFinalizationError RecursionError ReferenceError
    ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError
    SyntaxWarning SystemError SystemExit TabError TimeoutError True TypeError UnboundLocalError
    UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning
    UserWarning ValueError Warning WindowsError ZeroDivisionError _ __annotations__ __build_class__
    __builtins__ __cached__ __class__ __debug__ __dict__ __doc__ __file__ __import__ __loader__
    __module__ __name__ __package__ __path__ __qualname__ __spec__ abs aiter all anext any ascii bin
    bool breakpoint bytearray bytes callable chr classmethod compile complex copyright credits
    delattr dict dir display divmod enumerate eval exec exit filter float format frozendict frozenset
    get_ipython getattr globals hasattr hash help hex id input int isinstance issubclass iter len
    license list locals map max memoryview min next object oct open ord pow print property quit
    range repr reveal_type reversed round set setattr slice sorted staticmethod str sum super tuple
    type vars zip
";

/// Whether a dotted module is of the standard library.
pub fn has_module(module: &str) -> bool {
    let first = module.split('.').next().unwrap_or(module);
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| MODULES.split_ascii_whitespace().collect());
    SET.contains(first)
}

/// Whether a name needs no definition.
pub fn has_name(name: &str) -> bool {
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| BUILTINS.split_ascii_whitespace().collect());
    SET.contains(name)
}

/// Builtins of Python 2: code that runs on both uses them under a condition.
const FORMER: [&str; 14] = [
    "unicode",
    "xrange",
    "basestring",
    "raw_input",
    "long",
    "unichr",
    "cmp",
    "reduce",
    "file",
    "buffer",
    "execfile",
    "reload",
    "apply",
    "intern",
];

/// Whether a name was built into Python 2.
pub fn was_name(name: &str) -> bool {
    FORMER.contains(&name)
}
