package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sqliteModule = `
-- go.mod --
module notebook

go 1.26

require github.com/mattn/go-sqlite3 v1.14.32
-- go.sum --
github.com/mattn/go-sqlite3 v1.14.32 h1:JD12Ag3oLy1zQA+BNn74xRgaBbdhbNIDYvQUEuuErjs=
github.com/mattn/go-sqlite3 v1.14.32/go.mod h1:Uh1q+B4BYcTPb+yiD3kU8Ct7aC0hY9fxUwlHK0RXw+Y=
-- notebooks/x.txt --
`

// TestSQLite imports a package that is mostly C.
func TestSQLite(t *testing.T) {
	s := sessionIn(t, sqliteModule)
	show(t, s, "x := 5\nfunc double(n int) int { return 2 * n }")
	got := show(t, s, `import "github.com/mattn/go-sqlite3"
sql.Register("calculating", &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
	return c.RegisterFunc("double", double, true) // C calls the notebook
}})
db, err := sql.Open("calculating", ":memory:")
if err != nil { panic(err) }
if _, err := db.Exec("create table t (n int); insert into t values (1), (2), (39)"); err != nil { panic(err) }
var sum int
if err := db.QueryRow("select sum(double(n)) from t").Scan(&sum); err != nil { panic(err) }
sum`)
	mustContain(t, got, "started a new process for the cells, which contains the C code of github.com/mattn/go-sqlite3; lost variables: x (cell 1)", "84")
	if got, want := show(t, s, "var n int\ndb.QueryRow(\"select count(*) from t\").Scan(&n)\nn"), "[result text/plain]\n3\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := show(t, s, "x"); !strings.Contains(got, "lost when the process that runs the cells ended") {
		t.Errorf("got %q", got)
	}
	// A worker process with C code can start children, survives panics and can import the package again.
	got = show(t, s, `import "github.com/perijove/perijove/lib/mp"
runtime.GC()
func say(n int) { fmt.Println("child says", double(n)) }
child, err := mp.Start(context.Background(), mp.Processes, say, 21)
if err != nil { panic(err) }
fmt.Println(child.Join(context.Background()))
func() { defer func() { fmt.Println(recover()) }(); var p *int; *p = 1 }()`)
	mustContain(t, got, "child says 42", "nil pointer dereference")
	if got := show(t, s, "import _ \"github.com/mattn/go-sqlite3\"\nn++\nn"); got != "[result text/plain]\n4\n" {
		t.Errorf("the second import: %q", got)
	}
	again := sessionIn(t, sqliteModule)
	got = show(t, again, "import \"github.com/mattn/go-sqlite3\"\nsqlite3.SQLITE_COPY")
	if !strings.Contains(got, "started a new process for the cells") || strings.Contains(got, "stderr") || !strings.HasSuffix(got, "\n[update text/plain]\n\n") {
		t.Errorf("the second session: %q", got)
	}
}

const ownC = `
-- go.mod --
module example.com/hot

go 1.26
-- notebooks/x.txt --
-- warm/warm.go --
package warm

import "example.com/hot/internal/core"

func Answer() int { return core.Answer() }
-- internal/core/core.go --
package core

// int answer(void) { return 41; }
import "C"

func Answer() int { return int(C.answer()) }
`

// TestOwnC imports a package that depends on C code in an internal package of the
// notebook's module, and changes that code.
func TestOwnC(t *testing.T) {
	s := sessionIn(t, ownC)
	const code = "import \"example.com/hot/warm\"\nwarm.Answer()"
	mustContain(t, show(t, s, code), "contains the C code of example.com/hot/internal/core", "41")
	if got, want := show(t, s, code), "[result text/plain]\n41\n"; got != want {
		t.Errorf("again: %q, want %q", got, want)
	}
	file := filepath.Join(s.modules.Dir(), "internal/core/core.go")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(b), "41", "42")), 0o644); err != nil {
		t.Fatal(err)
	}
	mustContain(t, show(t, s, code), "contains the C code of example.com/hot/internal/core", "42")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(b), "41;", "forty one;")), 0o644); err != nil {
		t.Fatal(err)
	}
	show(t, s, "kept := 7")
	mustContain(t, show(t, s, code), "package example.com/hot/internal/core has C code", "forty")
	if got, want := show(t, s, "kept"), "[result text/plain]\n7\n"; got != want {
		t.Errorf("after C code that does not compile: %q, want %q", got, want)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	mustContain(t, show(t, s, "import \"example.com/hot/internal/core\"\ncore.Answer()"), "cannot load package example.com/hot/internal/core: it has C code that the process that runs the cells does not contain")
}

// TestNoCCompiler: the error names the missing C compiler.
func TestNoCCompiler(t *testing.T) {
	s := sessionIn(t, ownC)
	t.Setenv("CC", "no-such-compiler")
	got := show(t, s, "import \"example.com/hot/warm\"\nwarm.Answer()")
	mustContain(t, got, "package example.com/hot/internal/core has C code", "the C compiler no-such-compiler was not found", "apt install gcc")
	t.Setenv("CGO_ENABLED", "0")
	mustContain(t, show(t, s, "import \"example.com/hot/warm\"\nwarm.Answer()"), "build constraints exclude all Go files")
}

// TestInternalC: the import of an internal package with C code is refused.
func TestInternalC(t *testing.T) {
	s := sessionIn(t, ownC)
	mustContain(t, show(t, s, "import \"example.com/hot/internal/core\"\ncore.Answer()"), "is internal to its module")
}
