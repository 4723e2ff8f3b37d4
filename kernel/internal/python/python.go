// Package python has the counterparts, in Go and in this kernel, of Python's modules and IPython's directives.
// Messages to users who know Python mention them.
package python

// Counterpart returns the path of the Go package that does what a module of Python does. It returns "" if there is
// none, or if the package has the same path as the module.
func Counterpart(module string) string { return counterparts[module] }

var counterparts = map[string]string{
	"numpy": "gonum.org/v1/gonum/mat", "scipy": "gonum.org/v1/gonum/optimize", "statistics": "gonum.org/v1/gonum/stat",
	"matplotlib": "gonum.org/v1/plot", "seaborn": "gonum.org/v1/plot", "networkx": "gonum.org/v1/gonum/graph",
	"pandas": "github.com/go-gota/gota/dataframe",
	"sys":    "os", "pathlib": "path/filepath", "shutil": "os", "glob": "path/filepath", "subprocess": "os/exec", "argparse": "flag",
	"re": "regexp", "json": "encoding/json", "csv": "encoding/csv", "pickle": "encoding/gob", "base64": "encoding/base64",
	"struct": "encoding/binary", "random": "math/rand/v2", "decimal": "math/big", "fractions": "math/big", "cmath": "math/cmplx",
	"datetime": "time", "timeit": "testing", "unittest": "testing", "pytest": "testing", "logging": "log/slog",
	"threading": "sync", "asyncio": "sync", "multiprocessing": "github.com/perijove/perijove/lib/mp",
	"concurrent": "github.com/perijove/perijove/lib/mp", "itertools": "iter", "collections": "container/list", "heapq": "container/heap",
	"requests": "net/http", "urllib": "net/http", "socket": "net", "sqlite3": "database/sql", "hashlib": "crypto/sha256",
	"zipfile": "archive/zip", "gzip": "compress/gzip", "tarfile": "archive/tar", "string": "strings",
}
