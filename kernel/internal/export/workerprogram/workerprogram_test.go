package workerprogram

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

var config = Config{
	Notebook: "nb.ipynb", Release: "go1.26.8", Library: "lib", PackageNames: map[string]string{"context": "context", "fmt": "fmt"},
	PackageVersion: func(path string) (string, error) { return path, nil },
}

const source = `package main

import (
	std "context"
	"fmt"
)

type mpremote int

type list[T any] []T

func main() { fmt.Println(sum(nil)) }

func notebook() {}

func sum(xs list[int]) (total int) { return len(xs) }
func both(ctx std.Context, x mpremote) (string, error) { return "", nil }
func each(ctx std.Context, x map[string]int) error { return nil }
func quiet(x int) {}
func (m mpremote) method(x int) int { return x }
func generic[T any](x T) T { return x }
func none() int { return 1 }
func two(x, y int) int { return x }
func many(x ...int) int { return len(x) }
func onlyContext(ctx std.Context) error { return nil }
func three(x int) (int, int, error) { return 0, 0, nil }
func noError(x int) (int, int) { return 0, 0 }
`

// TestTransform: the functions that package mp can send are registered, with the types of their arguments and results.
func TestTransform(t *testing.T) {
	out, err := Transform([]byte(source), config)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	if _, err := parser.ParseFile(token.NewFileSet(), "main.go", out, 0); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, want := range []string{
		`mpremote2.Register[int, list[int]]("sum", sum)`, `mpremote2.Register[string, mpremote]("both", both)`,
		`mpremote2.RegisterTarget[map[string]int]("each", each)`, `mpremote2.RegisterTarget[int]("quiet", quiet)`,
		"func notebook2() {", "\"nb.ipynb\")", `"github.com/perijove/perijove/lib/mp/mpremote"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the program lacks %s", want)
		}
	}
	if n := strings.Count(text, "mpremote2.Register"); n != 4 {
		t.Errorf("%d functions are registered, want 4", n)
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestTransformWithoutFunctions(t *testing.T) {
	for _, src := range []string{"package main\n\nfunc main() {}\n", "package main\n\ntype error interface{}\n\nfunc f(x int) (int, error) { return 0, nil }\n"} {
		if _, err := Transform([]byte(src), config); err == nil || !strings.Contains(err.Error(), "declares no function") {
			t.Errorf("error %v for %q", err, src)
		}
	}
}
