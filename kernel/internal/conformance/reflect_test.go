package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// madeTypes are types as made by reflect and as written in Go. $ stands for a new named type,
// t for its reflect.Type.
var madeTypes = []struct{ made, written string }{
	{`reflect.SliceOf(t)`, `[]$`},
	{`reflect.PointerTo(reflect.PointerTo(t))`, `**$`},
	{`reflect.MapOf(t, reflect.TypeFor[bool]())`, `map[$]bool`},
	{`reflect.MapOf(reflect.TypeFor[string](), t)`, `map[string]$`},
	{`reflect.ChanOf(reflect.BothDir, t)`, `chan $`},
	{`reflect.ChanOf(reflect.RecvDir, t)`, `<-chan $`},
	{`reflect.ChanOf(reflect.SendDir, t)`, `chan<- $`},
	{`reflect.FuncOf([]reflect.Type{t}, nil, false)`, `func($)`},
	{`reflect.FuncOf([]reflect.Type{t, t}, []reflect.Type{t, reflect.TypeFor[error]()}, false)`, `func($, $) ($, error)`},
	{`reflect.FuncOf([]reflect.Type{reflect.SliceOf(t)}, nil, true)`, `func(...$)`},
	{`reflect.FuncOf([]reflect.Type{reflect.SliceOf(t)}, nil, false)`, `func([]$)`},
	{`reflect.FuncOf([]reflect.Type{t}, []reflect.Type{reflect.SliceOf(t)}, false)`, `func($) []$`},
	{`reflect.ArrayOf(3, t)`, `[3]$`},
	{`reflect.ArrayOf(0, t)`, `[0]$`},
	{`reflect.ArrayOf(1000, t)`, `[1000]$`},
	{`reflect.StructOf([]reflect.StructField{{Name: "A", Type: t}})`, `struct{ A $ }`},
	{"reflect.StructOf([]reflect.StructField{{Name: \"A\", Type: t, Tag: `json:\"a\"`}, {Name: \"B\", Type: reflect.TypeFor[int]()}})",
		"struct { A $ `json:\"a\"`; B int }"},
	{`reflect.StructOf([]reflect.StructField{{Name: "a", PkgPath: "main", Type: t}})`, `struct{ a $ }`},
	{`reflect.StructOf([]reflect.StructField{{Name: "$", Type: t, Anonymous: true}})`, `struct{ $ }`},
	{`reflect.SliceOf(reflect.SliceOf(t))`, `[][]$`},
	{`reflect.MapOf(reflect.TypeFor[string](), reflect.SliceOf(t))`, `map[string][]$`},
	{`reflect.PointerTo(reflect.SliceOf(t))`, `*[]$`},
	{`reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.FuncOf([]reflect.Type{reflect.SliceOf(t)}, nil, false)}})`, `struct{ A func([]$) }`},
	{`reflect.FuncOf([]reflect.Type{reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.ArrayOf(2, t)}})}, nil, false)`, `func(struct{ A [2]$ })`},
	{`reflect.ChanOf(reflect.BothDir, reflect.MapOf(reflect.ArrayOf(5, t), reflect.ChanOf(reflect.RecvDir, t)))`, `chan map[[5]$]<-chan $`},
	// Types without a type of the notebook that are not in the image either.
	{`reflect.ArrayOf(17, reflect.TypeFor[uint16]())`, `[17]uint16`},
	{`reflect.MapOf(reflect.ArrayOf(7, reflect.TypeFor[int8]()), reflect.SliceOf(reflect.TypeFor[time.Month]()))`, `map[[7]int8][]time.Month`},
}

// makeType is a cell that makes a type with reflect, and other types from it.
const makeType = `t# := reflect.TypeFor[$]()
m# := func(t reflect.Type) reflect.Type { return § }(t#)
v# := reflect.New(m#).Elem().Interface()
p# := reflect.New(m#).Interface()
o# := reflect.FuncOf([]reflect.Type{m#}, []reflect.Type{m#}, false)
s# := reflect.StructOf([]reflect.StructField{{Name: "F", Type: m#}})`

// checkMade is a cell that compares the reflect.Type m that reflect made, and a value v of that
// type, with the type as written.
const checkMade = `
func init() {
	t := reflect.TypeFor[$]()
	_ = t
	if again := (§); again != reflect.TypeFor[€]() {
		panic("made again, it is not the type as written")
	}
	if m# != reflect.TypeFor[€]() || reflect.TypeOf(v#) != m# || reflect.TypeFor[*€]().Elem() != m# {
		panic("the type made is not the type as written")
	}
	if reflect.PointerTo(m#) != reflect.TypeFor[*€]() {
		panic("pointers differ")
	}
	if _, ok := v#.(€); !ok {
		panic("a value of the type made is not of the type as written")
	}
	if x, ok := any(*new(€)).(€); !ok || reflect.TypeOf(x) != m# {
		panic("a value of the type as written is not of the type made")
	}
	if _, ok := p#.(*€); !ok {
		panic("a pointer to the type made is not one to the type as written")
	}
	switch v#.(type) {
	case int, string, []int, map[int]string, func(), chan int, *int, error:
		panic("wrong case")
	case €:
	default:
		panic("no case of a switch")
	}
	over := reflect.FuncOf([]reflect.Type{m#}, []reflect.Type{m#}, false)
	if over != o# || over != reflect.TypeFor[func(€) €]() {
		panic("a function of it differs")
	}
	over = reflect.StructOf([]reflect.StructField{{Name: "F", Type: m#}})
	if over != s# || over != reflect.TypeFor[struct{ F € }]() {
		panic("a struct of it differs")
	}
	type holder struct{ F € }
	if reflect.TypeFor[holder]().Field(0).Type != m# {
		panic("a field's type differs")
	}
	if f, ok := reflect.TypeFor[has#]().MethodByName("M"); !ok || f.Type.In(1) != m# || f.Type.Out(0) != reflect.TypeFor[func(€) €]() {
		panic("a method's type differs")
	}
	if _, ok := any(has#{}).(interface{ M(€) func(€) € }); !ok {
		panic("a method does not satisfy an interface")
	}
}
type has# struct{}
func (has#) M(€) func(€) € { return nil }
`

// TestReflectTypes makes each type with reflect before the compiler does, and after it, while
// the garbage collector overwrites freed memory.
func TestReflectTypes(t *testing.T) {
	s := newSession(t, []string{"GOGC=1", "GODEBUG=clobberfree=1,invalidptr=1"})
	mustRun(t, s, `import ("reflect"; "runtime"; "time"); _ = runtime.GC; var _ time.Month`)
	for n, c := range madeTypes {
		for order, reflectFirst := range []bool{true, false} {
			name := fmt.Sprintf("T%dx%d", n, order)
			fill := strings.NewReplacer("§", c.made, "€", c.written, "#", name, "$", name).Replace
			form := func(text string) string { return fill(fill(text)) }
			mustRun(t, s, form("type $ struct { n int32; p *int32 }"))
			cells := []string{form(makeType), form(`w# := any(new(€))`)}
			if !reflectFirst {
				slices.Reverse(cells)
			}
			for _, code := range append(cells, form(checkMade), "runtime.GC()", form(checkMade)) {
				var out recorder
				if err := executeCell(t, s, code, &out); err != nil {
					t.Errorf("%s, reflect first %v: %v", form(c.written), reflectFirst, err)
					break
				}
			}
		}
	}
}

// TestReflectPromoted: a struct type made by reflect has the promoted methods of its embedded
// fields and is identical to the type as written.
func TestReflectPromoted(t *testing.T) {
	s := newSession(t, nil)
	mustRun(t, s, `import ("reflect"; "time")
m := reflect.StructOf([]reflect.StructField{{Name: "Month", Type: reflect.TypeFor[time.Month](), Anonymous: true}, {Name: "B", Type: reflect.TypeFor[[3]int16]()}})
v := reflect.New(m).Elem().Interface()`)
	mustRun(t, s, `if _, ok := v.(struct { time.Month; B [3]int16 }); !ok { panic("not the type as written") }
if reflect.TypeFor[struct { time.Month; B [3]int16 }]() != m { panic("types differ") }`)
}
