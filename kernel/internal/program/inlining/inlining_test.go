package inlining

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// older has the declarations of older cells, in the form in which a unit that uses their names contains them.
var older = map[string]string{
	"n": "int", "text": "string", "list": "[]int", "values": "iter.Seq[int]", "counts": "map[string]int",
	"pointer": "struct{ p atomic.Pointer[int] }", "lock": "struct{ mu sync.Mutex }", "p": "point",
}

const header = `package main
import ("controls"; "bytes"; "cmp"; "errors"; "fmt"; "iter"; "os"; "slices"; "sort"; "strings"; "sync"; "sync/atomic"; "time")
func twice(int) int
func fails() error
type point struct{ x, y int }
func (point) norm() int
func (*point) move(int)
type pair[T any] struct{ a, b T }
func showʹ(...any)
`

func TestMatters(t *testing.T) {
	for _, c := range []struct {
		code    string // statements, after them declarations
		matters bool
	}{
		{`fmt.Println("hi")`, false},
		{`n++`, false},
		{`showʹ(n + twice(3))`, false},
		{`n = len(strings.Fields(text)) + cap(list)`, false},
		{`f, err := os.Open("x"); if err != nil { showʹ(err) } else { defer f.Close() }`, false},
		{`switch { case n > 1: fmt.Println(1); default: fmt.Println(2) }`, false},
		{`go twice(3); defer twice(4)`, false},
		{`lock.mu.Lock(); lock.mu.Unlock()`, false},
		{`p.move(p.norm())`, false},
		{`var s fmt.Stringer = time.Second; showʹ(s)`, false},
		{`var e = errors.Join(fails(), errors.New("b")); showʹ(e)`, false},
		{`{ b := bytes.Buffer{}; b.WriteString("a"); showʹ(b.String()) }`, false},
		{`showʹ(struct{ a int }{1})`, false},
		// Loops.
		{`for i := 0; i < 10; i++ { n += i }; fmt.Println(n)`, false},
		{`for i := range 10 { list = append(list, int(uint8(i)), len(text), min(i, 3)) }`, false},
		{`for _, w := range strings.Fields(text) { counts[w]++ }`, false},
		{`for i := twice(3); i < 10; i++ { n += i }`, false},
		{`for i := 0; i < twice(3); i++ { n += i }`, true},
		{`for i := 0; i < 3; i += twice(i) { n += i }`, true},
		{`for i := range 10 { n += twice(i) }`, true},
		{`for _, w := range strings.Fields(text) { text += strings.ToUpper(w) }`, true},
		{`for { if n > 3 { n = p.norm() } }`, true},
		{`for range values { n++ }`, true},
		{`again: n++; if n < 3 { goto again }`, true},
		{`again: for { for { break again } }`, false},
		{`for range 3 { defer func() { n++ }() }`, true},
		// Function literals.
		{`showʹ(func(x int) int { return 2 * x })`, false},
		{`n = func(x int) int { return 2 * x }(3)`, false},
		{`sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })`, false},
		{`defer func() { showʹ(recover()) }()`, true},
		{`showʹ(func() int { return twice(3) })`, true},
		{`showʹ(func() int { for range 3 { n++ }; return n })`, true},
		{`{ x := 1; func() { x++ }(); for i := range 9 { x += i }; n = x }`, true},
		// Functions that may be called often.
		{`} ; func double(n int) int { return 2 * n`, false},
		{`n = double(3) } ; func double(n int) int { return 2 * n`, false},
		{`for i := range 3 { n += double(i) } } ; func double(n int) int { return 2 * n`, true},
		{`} ; func double(n int) int { return twice(n)`, true},
		{`} ; func double(n int) int { return len(text) + int(int8(n))`, false},
		{`} ; func init() { fmt.Println(1)`, false},
		{`} ; func main() { fmt.Println(1)`, true},
		{`} ; func fib(n int) int { if n < 2 { return n }; return fib(n-1) + fib(n-2)`, true},
		{`} ; func sum(s []int) (n int) { for _, x := range s { n += x }; return n`, false},
		{`} ; var cache = strings.Repeat("x", 3) ; func init() {`, false},
		// Code that later units use.
		{`slices.Sort(list)`, true},
		{`slices.SortFunc(list, func(a, b int) int { return cmp.Compare(a, b) })`, true},
		{`showʹ(slices.Values(list))`, true},
		{`var q pair[int]; showʹ(q)`, true},
		{`pointer.p.Store(&n)`, true},
		{`showʹ(values)`, true},
		{`controls.New().Set(1)`, true},
		{`showʹ(controls.New())`, false},
		{`showʹ(p.norm)`, true},
		{`showʹ(point.norm(p))`, true},
		{`showʹ((*point).move)`, true},
		{`showʹ(&struct{ sync.Mutex }{})`, true},
		{`} ; type size struct{ w, h int } ; func init() {`, false},
		{`} ; type locked struct{ sync.Mutex; n int } ; func init() {`, true},
		{`} ; type size int ; func (s size) String() string { return "a"`, true},
		{`} ; type shape interface{ area() int } ; func init() {`, false},
		{`} ; type reader strings.Reader ; func init() {`, false},
		{`} ; type all[T any] []T ; func init() {`, false},
		{`} ; type file os.File ; func init() {`, true},
	} {
		if got := matters(t, c.code); got != c.matters {
			t.Errorf("%s: %v", c.code, got)
		}
	}
}

// matters reports whether inlining matters for a unit with the statements code in its entry function.
func matters(t *testing.T, code string) bool {
	t.Helper()
	text := header
	for name, typ := range older {
		if regexp.MustCompile(`\b` + name + `\b`).MatchString(code) {
			text += "var " + name + " " + typ + "\n"
		}
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "cell.go", text+"func cellʹ1() { "+code+" }\n", parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	u := &Unit{Files: []*ast.File{file}, Info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{},
	}, RunsOnce: func(fn *ast.FuncDecl) bool { return fn.Name.Name == "cellʹ1" || fn.Name.Name == "init" }}
	conf := types.Config{Importer: withControls{exportdata.New(programtest.NewStd(t), "", nil)}, Error: func(err error) {
		if !strings.HasSuffix(err.Error(), "and not used") {
			t.Errorf("%s: %v", code, err)
		}
	}}
	_, _ = conf.Check("main", fset, u.Files, u.Info)
	return u.Matters()
}

// withControls is an importer that also imports a package with a type that embeds an instance of a generic type.
type withControls struct{ types.Importer }

func (w withControls) Import(path string) (*types.Package, error) {
	if path != "controls" {
		return w.Importer.Import(path)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "controls.go", `package controls
		type control[T any] struct{ value T }
		func (c *control[T]) Set(value T) { c.value = value }
		type Slider struct{ control[int] }
		func New() *Slider { return nil }`, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return new(types.Config).Check(path, fset, []*ast.File{file}, nil)
}
