package shape

import (
	"reflect"
	"testing"
	"time"
)

type list struct {
	Value int
	Next  *list
}

func TestShapes(t *testing.T) {
	type point struct{ X, Y int }
	first := Of(reflect.TypeFor[point]())
	other := func() Shape {
		type point struct{ X, Z int }
		return Of(reflect.TypeFor[point]())
	}()
	if first == other || Name(first.Text) != Name(other.Text) {
		t.Errorf("types of one name and different fields: %q and %q", first.Text, other.Text)
	}
	for _, v := range []any{1, "", []list{}, map[string]*point{}, [3]float64{}, struct{ A, b int }{}, time.Second} {
		if s := Of(reflect.TypeOf(v)); !s.Plain || s != Of(reflect.TypeOf(v)) || Name(s.Text) != reflect.TypeOf(v).String() {
			t.Errorf("%T has the shape %+v", v, s)
		}
	}
	for _, v := range []any{[]any{}, struct{ Err error }{}, map[string][]func(){}, make(chan int)} {
		if Of(reflect.TypeOf(v)).Plain {
			t.Errorf("%T is plain", v)
		}
	}
}

func TestCalls(t *testing.T) {
	args := [][]byte{[]byte("a"), []byte("bc")}
	first := Calls("main.f (x.go:1)", "string", "int", args)
	if Calls("main.f (y.go:2)", "string", "int", args) != first {
		t.Error("a function that has moved has another hash")
	}
	for _, other := range []string{
		Calls("main.g (x.go:1)", "string", "int", args), Calls("main.f (x.go:1)", "string", "uint", args), Calls("main.f (x.go:1)", "[]byte", "int", args),
		Calls("main.f (x.go:1)", "string", "int", args[:1]), Calls("main.f (x.go:1)", "string", "int", [][]byte{[]byte("ab"), []byte("c")}),
	} {
		if other == first {
			t.Error("other calls have the same hash")
		}
	}
}
