package session

import (
	"strings"
	"testing"
)

// TestDottedPath imports packages whose paths have dots in the last element.
// Symbol names have such dots in escaped form.
func TestDottedPath(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/x

go 1.26
-- notebooks/x.txt --
-- geo.v2/geo.go --
package geo

import (
	"fmt"
	"reflect"
	"runtime"

	unit "example.com/x/unit/v1.43.0"
)

var Count = start()

func start() int { return 40 }

type Point struct{ X, Y unit.Length }

func (p Point) String() string { return fmt.Sprint("at ", p.X, " ", p.Y) }

//go:noinline
func Name() string {
	pc, _, _, _ := runtime.Caller(0)
	return runtime.FuncForPC(pc).Name() + " " + reflect.TypeFor[Point]().PkgPath()
}

func Fail() { panic("no way") }
-- unit/v1.43.0/unit.go --
package unit

type Length float64

func (l Length) Twice() Length { return 2 * l }

type Pair[T any] struct{ A, B T }

func (p *Pair[T]) Swap() { p.A, p.B = p.B, p.A }
`)
	for _, c := range []struct{ cell, want string }{
		{"import geo \"example.com/x/geo.v2\"\ngeo.Name()", "[result text/plain]\n\"example.com/x/geo%2ev2.Name example.com/x/geo.v2\"\n"},
		{"geo.Count++\nvar str fmt.Stringer = geo.Point{X: 1, Y: 2}", ""},
		{"fmt.Println(str, geo.Count, str == fmt.Stringer(geo.Point{X: 1, Y: 2}))", "[stdout]\nat 1 2 41 true\n"},
		{"import unit \"example.com/x/unit/v1.43.0\"\n{ pair := unit.Pair[unit.Length]{A: 1, B: 2}; pair.Swap(); fmt.Println(pair, pair.A.Twice()) }", "[stdout]\n{2 1} 4\n"},
	} {
		if got := show(t, s, c.cell); got != c.want {
			t.Errorf("%s\ngot %q, want %q", c.cell, got, c.want)
		}
	}
	if got := show(t, s, "geo.Fail()"); !strings.Contains(got, "panic: no way") {
		t.Errorf("got %q", got)
	}
}

// TestAlignedConstants runs assembly that faults unless constants and variables
// are aligned as cmd/link aligns them.
func TestAlignedConstants(t *testing.T) {
	var filler strings.Builder // moves the constants to other places
	for _, n := range []string{"a", "bb", "ccc", "ddddd", "eeeeeee"} {
		filler.WriteString("var Odd" + n + " = [" + string(rune('0'+len(n))) + "]byte{1}\n")
	}
	s := sessionIn(t, `
-- go.mod --
module example.com/x

go 1.26
-- notebooks/x.txt --
-- vec/vec.go --
package vec

`+filler.String()+`
func odds() int { return len(Odda) + len(Oddbb) + len(Oddccc) + len(Oddddddd) + len(Oddeeeeeee) }

// Sum adds 16 bytes of a constant, a table of 48 bytes and a variable.
func Sum() uint64

func Odds() int { return odds() }
-- vec/vec_amd64.s --
#include "textflag.h"

DATA one<>+0(SB)/1, $1
GLOBL one<>(SB), RODATA|NOPTR, $1

DATA mask<>+0(SB)/8, $5
DATA mask<>+8(SB)/8, $6
GLOBL mask<>(SB), RODATA|NOPTR, $16

DATA three<>+0(SB)/1, $3
GLOBL three<>(SB), RODATA|NOPTR, $3

DATA table<>+0(SB)/8, $7
DATA table<>+40(SB)/8, $9
GLOBL table<>(SB), RODATA|NOPTR, $48

DATA ·small+0(SB)/1, $1
GLOBL ·small(SB), NOPTR, $1

DATA ·large+0(SB)/8, $100
DATA ·large+24(SB)/8, $200
GLOBL ·large(SB), NOPTR, $32

TEXT ·Sum(SB), NOSPLIT, $0-8
	MOVBLZX one<>(SB), CX
	MOVBLZX three<>(SB), CX
	MOVBLZX ·small(SB), CX
	MOVOA   mask<>(SB), X0
	MOVOA   table<>+0(SB), X1
	MOVOA   table<>+32(SB), X2
	MOVOA   ·large+16(SB), X3
	PADDQ   X1, X0
	PADDQ   X2, X0
	PADDQ   X3, X0
	MOVQ    X0, AX
	PSRLO   $8, X0
	MOVQ    X0, BX
	ADDQ    BX, AX
	MOVQ    AX, ret+0(FP)
	RET
`)
	if got, want := show(t, s, "import \"example.com/x/vec\"\nvec.Sum(), vec.Odds()"), "[result text/plain]\n227\n18\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPushedLinknames calls functions that one package defines for another with a go:linkname line, and functions that
// the image's linker dropped.
func TestPushedLinknames(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/x

go 1.26
-- notebooks/x.txt --
-- owner/owner.go --
package owner

import _ "unsafe"

func Declared() string

var Level int

//go:linkname level example.com/x/other.Level
var level = 7

//go:linkname pushed example.com/x/other.pushed
func pushed(s string) string { return "pushed " + s }
-- owner/empty.s --
-- other/other.go --
package other

import _ "unsafe"

func pushed(s string) string

//go:linkname Level
var Level int

func Call() string { return pushed("here") }

//go:linkname declared example.com/x/owner.Declared
func declared() string { return "declared elsewhere" }
-- other/empty.s --
-- both/both.go --
package both

import (
	"example.com/x/other"
	"example.com/x/owner"
)

func Call() string { return other.Call() + ", " + owner.Declared() }

func Level() int { return other.Level }
`)
	for _, c := range []struct{ cell, want string }{
		{"import \"example.com/x/both\"\nboth.Call(), both.Level()", "[result text/plain]\n\"pushed here, declared elsewhere\"\n7\n"},
		{"import \"unsafe\"\n\n//go:linkname iterInit reflect.mapiterinit\nfunc iterInit(t, m, it uintptr)\n\n//go:linkname assign32 runtime.mapassign_fast32ptr\nfunc assign32(t, m uintptr, k uint32) uintptr\n" +
			"_ = unsafe.Pointer(nil)\nreflect.ValueOf(iterInit).Pointer() != 0, reflect.ValueOf(assign32).Pointer() != 0", "[result text/plain]\ntrue\ntrue\n"},
	} {
		if got := show(t, s, c.cell); got != c.want {
			t.Errorf("%s\ngot %q, want %q", c.cell, got, c.want)
		}
	}
	for name, fails := range map[string]bool{"runtime.coroswitch": true, "runtime.newproc1": true, "internal/sync.throw": true, "runtime.nanotime": false, "runtime.addmoduledata": true} {
		got := show(t, s, "import _ \"unsafe\"\n\n//go:linkname pulled "+name+"\nfunc pulled()\nreflect.ValueOf(pulled).Pointer() != 0")
		if want := "main: invalid reference to " + name; strings.Contains(got, want) != fails {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestInstancesOfOthers uses generic types and functions that are instantiated in packages other than the ones that
// declare them.
func TestInstancesOfOthers(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/x

go 1.26
-- notebooks/x.txt --
-- ga/a.go --
package ga

import "fmt"

type Box[T any] struct{ V T }

func (b *Box[T]) String() string { return fmt.Sprint("box ", b.V) }

type Val[T any] struct{ V T }

func (b Val[T]) String() string { return fmt.Sprint("val ", b.V) }

func NewBox[T any](v T) *Box[T] { return &Box[T]{v} }

func AsStr[T any](v T) fmt.Stringer { return &Box[T]{v} }

func AsVal[T any](v T) fmt.Stringer { return Val[T]{v} }

type Getter[T any] interface{ Get() T }

type cell[T any] struct{ v T }

func (c *cell[T]) Get() T { return c.v }

func Hold[T any](v T) Getter[T] { return &cell[T]{v} }
-- mid/mid.go --
package mid

import "example.com/x/ga"

type Ints = ga.Box[int]

var Shared = ga.Hold(5)

func Make() *Ints { return ga.NewBox(3) }
-- ua/a.go --
package ua

import (
	"fmt"

	"example.com/x/ga"
	"example.com/x/mid"
)

func A() string { var s fmt.Stringer = ga.NewBox(3); return s.String() }

func B() string { return ga.AsStr(3).String() + mid.Make().String() }

func C() string { return ga.AsVal(3).String() }

func D() int { return ga.Hold(3).Get() + mid.Shared.Get() }
`)
	for _, c := range []struct{ cell, want string }{
		{"import \"example.com/x/ua\"\nua.D()", "[result text/plain]\n8\n"},
		{"ua.C()", "[result text/plain]\n\"val 3\"\n"},
		{"ua.B(), ua.A()", "[result text/plain]\n\"box 3box 3\"\n\"box 3\"\n"},
		{"import \"example.com/x/ga\"\nimport \"example.com/x/mid\"\nga.AsStr(int8(3)).String(), ga.AsVal(int8(3)).String(), ga.Hold(\"x\").Get(), ga.Hold(7).Get()", "[result text/plain]\n\"box 3\"\n\"val 3\"\n\"x\"\n7\n"},
		{"held := mid.Shared\n_, ok := held.(ga.Getter[int])\nfmt.Stringer(mid.Make()).String(), held.Get(), ok", "[result text/plain]\n\"box 3\"\n5\ntrue\n"},
	} {
		if got := show(t, s, c.cell); got != c.want {
			t.Errorf("%s\ngot %q, want %q", c.cell, got, c.want)
		}
	}
}

// TestMissingSymbol imports a package whose assembly calls an undefined function,
// and a package that calls it only in its initialization.
func TestMissingSymbol(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/x

go 1.26
-- notebooks/x.txt --
-- low/low.go --
package low

func Lost() int

func Call(n int) int { return n + Lost() }
-- low/low_amd64.s --
#include "textflag.h"

TEXT ·Lost(SB), NOSPLIT, $0-8
	CALL example·com∕nowhere·gone(SB)
	RET
-- high/high.go --
package high

import "example.com/x/low"

func Call(n int) int { return low.Call(n) }
-- start/start.go --
package start

import "example.com/x/high"

var Value = high.Call(2)
`)
	show(t, s, "import (\n\t\"example.com/x/high\"\n)\nvar n = 3")
	for _, c := range []struct {
		cell string
		want []string
	}{
		{"fmt.Println(n)\nfmt.Println(high.Call(n))", []string{"[error LinkError]", "undefined: example.com/nowhere.gone (needed by example.com/x/low.Lost)", "depends on it", "Cell [2] line 2, in the cell\n    fmt.Println(high.Call(n))"}},
		{"fmt.Println(n)\n\nimport \"example.com/x/start\"\nstart.Value", []string{"undefined: example.com/nowhere.gone", "import \"example.com/x/start\" depends on it", "Cell [3] line 3, in the cell\n    import \"example.com/x/start\""}},
		{"n", []string{"[result text/plain]\n3"}},
	} {
		got := show(t, s, c.cell)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s\ngot %q, want %q", c.cell, got, want)
			}
		}
	}
}

// TestDroppedMap reads a map variable of a package of the image. The image's linker
// dropped the map and the function that fills it.
func TestDroppedMap(t *testing.T) {
	s := sessionIn(t, "-- notebooks/x.txt --\n")
	show(t, s, "import _ \"unsafe\"\n\n//go:linkname bootstrap golang.org/x/tools/internal/stdlib.bootstrap\nvar bootstrap map[string]bool")
	got := show(t, s, "len(bootstrap) > 10")
	if want := "[result text/plain]\ntrue\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
