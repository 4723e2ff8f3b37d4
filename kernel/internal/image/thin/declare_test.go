package thin

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestLinkName(t *testing.T) {
	for want, in := range map[string]Instance{
		"Queue[int]":     {"Queue", []string{"int"}},
		"Queue[[]uint8]": {"Queue", []string{"[]byte"}},
		"Map[int,struct {},func(context.Context, struct {}) (int, error)]": {"Map", []string{"int", "struct{}", "func(context.Context, struct{}) (int, error)"}},
		"Each[*string,func(*string)]":                                      {"Each", []string{"*string", "func(*string)"}},
		"Each[bool,func(int, bool) error]":                                 {"Each", []string{"bool", "func(int, bool) error"}},
	} {
		got, err := in.LinkName()
		if err != nil || got != want {
			t.Errorf("%v: %q, %v, want %q", in, got, err, want)
		}
		if id := placeholder(got); len(id) != len(got) || len(symbolPlaceholder(got)) != len(got) {
			t.Errorf("%s: the placeholder %s has another length", got, id)
		}
	}
	for _, arg := range []string{"os.File", "[3]int", "map[int]int", "struct{ n int }", "Box[int]", "func(", "chan int"} {
		if got, err := (Instance{"Queue", []string{arg}}).LinkName(); err == nil {
			t.Errorf("type argument %s: %s", arg, got)
		}
	}
	if _, err := NewDeclarer("box", []Instance{{"Each", []string{"func() int"}}, {"Each", []string{"func()[]"}}}); err == nil {
		t.Error("a type argument that is no type was accepted")
	}
}

const declaredSource = `package box

import "context"

// A Box holds a value.
type Box[T any] struct {
	v    *T
	next *Box[T]
}

func (b *Box[E]) Set(E *E) *Box[E] { b.v = E; return b }

func (b Box[_]) Len() int { return 1 }

func (b *Box[T]) private() {}

type Plain struct{}

func New[T any](v *T, _ int) *Box[T] { return &Box[T]{v: v} }

func Do[A any, F ~func(context.Context, A) error](f F, xs ...A) map[string][]A { return nil }
`

const wantDeclared = `package box; import _ "unsafe"

import "context"

// A Box holds a value.
type Box[T any] struct {
	v    *T
	next *Box[T]
}

func (b *Box[E]) Set(E *E) *Box[E] 

func (b Box[_]) Len() int 

func (b *Box[T]) private() 

type Plain struct{}

func New[T any](v *T, _ int) *Box[T] { thinʹleak(thinʹpointer(&v)); panic(0) }

func Do[A any, F ~func(context.Context, A) error](f F, xs ...A) map[string][]A { thinʹleak(thinʹpointer(&f)); thinʹleak(thinʹpointer(&xs)); panic(0) }

type Box_int_ struct {
	v    *int
	next *Box_int_
}

type Box_int_ʹ = Box_int_

func (*Box_int_) Set(E *int) *Box_int_

func (Box_int_) Len() int

func (*Box_int_) private()

//go:linkname New_int_ʹ box.New<int>
func New_int_ʹ(v *int, _ int) *Box_int_

//go:linkname Do_int_func_context_Context__int__error_ʹ box.Do<int,func(context.Context,~int)~error>
func Do_int_func_context_Context__int__error_ʹ(f func(context.Context, int) error, xs ...int) map[string][]int
`

var declared = []Instance{{"Box", []string{"int"}}, {"New", []string{"int"}}, {"Do", []string{"int", "func(context.Context, int) error"}}}

func TestDeclare(t *testing.T) {
	d, err := NewDeclarer("box", declared)
	if err != nil {
		t.Fatal(err)
	}
	source, err := Source("box.go", []byte(declaredSource), names)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Declare("box.go", source)
	if err != nil || string(got) != wantDeclared {
		t.Errorf("%v, got:\n%s\nwant:\n%s", err, got, wantDeclared)
	}
	renames, err := d.Renames()
	want := map[string]string{
		"Box_int_": "Box[int]", "box.New<int>": "box.New[int]", "box.Do<int,func(context.Context,~int)~error>": "box.Do[int,func(context.Context, int) error]",
	}
	if err != nil || !maps.Equal(renames, want) {
		t.Errorf("%v, %v", renames, err)
	}
	wantNames := []string{"box.Box[int]", "box.Do[int,func(context.Context, int) error]", "box.New[int]"}
	if got := d.Names(); !slices.Equal(got, wantNames) {
		t.Errorf("%q", got)
	}
	if d, err = NewDeclarer("box", declared[1:]); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Declare("box.go", source); err == nil || !strings.Contains(err.Error(), "Box[int]") {
		t.Errorf("New[int] without Box[int]: %v", err)
	}
	if d, err = NewDeclarer("box", []Instance{{"Box", []string{"int"}}, {"Pair", []string{"int"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Renames(); err == nil || !strings.Contains(err.Error(), "box declares no type or function") {
		t.Errorf("instances that no file declares: %v", err)
	}
	if _, err := d.Declare("pair.go", []byte("package box\n\ntype Pair[T any] struct {\n\tn int\n\tBox[T]\n}\n")); err == nil || !strings.Contains(err.Error(), "embeds") {
		t.Errorf("an embedded instance: %v", err)
	}
}

func TestFunctions(t *testing.T) {
	d, err := NewDeclarer("box", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Functions("box", []Function{{Path: "slices", Instance: Instance{"Values", []string{"[]int", "int"}}, Signature: "([]int) iter.Seq[int]", Imports: []string{"iter"}}})
	const want = `package box

import _ "unsafe"
import "iter"

//go:linkname Values___int_int_ʹ slices.Values<<>int,int>
func Values___int_int_ʹ([]int) iter.Seq[int]
`
	if err != nil || string(got) != want {
		t.Errorf("%v, got:\n%s\nwant:\n%s", err, got, want)
	}
	if renames, err := d.Renames(); err != nil || len(renames) != 1 || !slices.Equal(d.Names(), []string{"slices.Values[[]int,int]"}) {
		t.Errorf("%v, %v, %q", renames, err, d.Names())
	}
}
