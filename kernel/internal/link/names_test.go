package link

import (
	"fmt"
	"strings"
	"testing"
)

func TestPackageOf(t *testing.T) {
	for name, want := range map[string]string{
		"fmt.Println":                        "fmt",
		"encoding/json.Marshal":              "encoding/json",
		"encoding/json.(*Decoder).Decode":    "encoding/json",
		"type:*encoding/json.Decoder":        "encoding/json",
		"type:[]*net/http.Request":           "net/http",
		"type:int":                           "runtime",
		"type:*int":                          "runtime",
		"slices.Sort[go.shape.int]":          "slices",
		"go:builtin.error.Error":             "runtime",
		"gopkg.in/yaml%2ev3.Unmarshal":       "gopkg.in/yaml.v3",
		"example.org/a%2eb.(*T).M":           "example.org/a.b",
		"github.com/x/y.v2/z.F":              "github.com/x/y.v2/z",
		"sync/atomic.(*Pointer[int]).Load":   "sync/atomic",
		"type:sync/atomic.Pointer[main.T]":   "sync/atomic",
		"gonum.org/v1/plot.New":              "gonum.org/v1/plot",
		"gonum.org/v1/plot/vg.Points.func1":  "gonum.org/v1/plot/vg",
		"internal/runtime/maps.(*Map).Clear": "internal/runtime/maps",
	} {
		if got := packageOf(name); got != want {
			t.Errorf("packageOf(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestOfNotebook(t *testing.T) {
	for name, want := range map[string]bool{
		"main.f":                             true,
		"type:main.T":                        true,
		"type:*main.T":                       true,
		"type:map[string]main.T":             true,
		"type:func(main.T) main.U":           true,
		"type:chan<- main.T":                 true,
		"go:itab.*main.T,fmt.Stringer":       true,
		"slices.Sort[main.T]":                true,
		"sync/atomic.(*Pointer[main.T]).Set": true,
		"type:struct { X main.T }":           true,
		"fmt.Println":                        false,
		"example.org/main.F":                 false,
		"type:example.org/main.T":            false,
		"domain.F":                           false,
		"type:[]domain.T":                    false,
		"x_main.F":                           false,
		"example.com/a+main.F":               false,
		"example.com/a~main.F":               false,
		"runtime.main":                       false,
		"runtime.main.func1":                 false,
		"type:example.org/main.T[main.U]":    true,
	} {
		if got := ofNotebook(name); got != want {
			t.Errorf("ofNotebook(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestMentioned(t *testing.T) {
	for name, want := range map[string]string{
		"main.Twice[main.Point]":                             "main.Point",
		"main.(*Box[main.Pair[int,main.Point]]).String":      "main.Pair[int,main.Point] main.Point",
		"type:map[string]main.Line":                          "main.Line",
		"type:main.Point":                                    "main.Point",
		"main.Point":                                         "",
		"github.com/x/mp.(*task[int,[]main.T·1]).run":        "main.T·1",
		"type:domain.Point":                                  "",
		"type:example.com/main.Point":                        "",
		"main.f[go.shape.struct { main.p *main.Deep[int] }]": "main.p main.Deep[int]",
		"main.f[main.Open[":                                  "main.f main.Open",
	} {
		if got := strings.Join(mentioned(name), " "); got != want {
			t.Errorf("%s mentions %q, want %q", name, got, want)
		}
	}
}

func TestWithoutTypeArgs(t *testing.T) {
	for name, want := range map[string]string{
		"main.f":                                    "main.f",
		"main.Max[int]":                             "main.Max",
		"main.(*List[go.shape.int]).Push":           "main.(*List).Push",
		"main.Pair[main.List[int],[]string]":        "main.Pair",
		"main.Map[go.shape.int,map[int]bool].func1": "main.Map.func1",
	} {
		if got := withoutTypeArgs(name); got != want {
			t.Errorf("withoutTypeArgs(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMethodNames(t *testing.T) {
	for name, want := range map[string]string{
		"main.T.M": ".M", "main.(*T).M": ".M", "main.(*T).M-fm": ".M", "main.(*L[main.T]).M-fm": ".M", "main.f": "", "main.Max[main.T]": "",
	} {
		if got := methodName(name); got != want {
			t.Errorf("methodName(%q) = %q, want %q", name, got, want)
		}
	}
	if got := qualified("main.(*L[main.T]).M-fm"); got != "L.M" {
		t.Errorf("qualified: %q", got)
	}
	types := map[string]bool{"T": true, "E·1": true, "P[int]": true}
	for name, want := range map[string]bool{
		"main.T.M": true, "main.(*T).M-fm": true, "main.L[main.T].M": true, "main.Max[[]main.T]": true, "main.(*E·1).M": true,
		"main.L[go.shape.struct { main.a int; X *main.T }].M": true, "main.TT.M": false, "main.f.T": false, "example.org/main.T.M": false,
		"main.Max[int]": false, "type:map[string]main.T": true,
		"main.P[string].M": false, "main.(*P[int]).M-fm": true, "main.P.M": false,
	} {
		if got := mentions(name, types); got != want {
			t.Errorf("mentions(%q) = %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]bool{"main.f.deferwrap1": true, "main.(*T).M.func2.gowrap10": true, "main.T.deferwrapper": false, "main.f.func1": false} {
		if got := isCallWrapper(name); got != want {
			t.Errorf("isCallWrapper(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestIndex(t *testing.T) {
	var syms []IndexSymbol
	for i := range 5000 {
		syms = append(syms, IndexSymbol{Name: fmt.Sprintf("pkg%d.symbol%d", i%7, i), Addr: uint64(0x400000 + i)})
	}
	syms = append(syms,
		IndexSymbol{Name: "both", Text: true, ABI: 0, Addr: 1},
		IndexSymbol{Name: "both", Text: true, ABI: 1, Addr: 2},
		IndexSymbol{Name: "long." + strings.Repeat("x", 3000), Addr: 3},
		IndexSymbol{Name: "high", Addr: 1<<48 - 1},
	)
	builtins := []Builtin{{"runtime.newobject", 1}, {"runtime.memhash", 0}}
	b := EncodeIndex(syms, builtins)
	x, err := OpenIndex(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if addr, ok := x.Lookup(s.Name, s.ABI); !ok || addr != uintptr(s.Addr) {
			t.Fatalf("%.30s ABI %d: %#x, %v", s.Name, s.ABI, addr, ok)
		}
	}
	if addr, ok := x.Lookup("pkg1.symbol0", 0); ok {
		t.Errorf("a symbol that was never entered is at %#x", addr)
	}
	if _, ok := x.Lookup("pkg1.symbol1", 1); !ok {
		t.Error("a variable is not found under the other calling convention")
	}
	for i, want := range builtins {
		if got, err := x.Builtin(uint32(i)); err != nil || got != want {
			t.Errorf("builtin %d: %v, %v", i, got, err)
		}
	}
	if _, err := x.Builtin(2); err == nil {
		t.Error("a builtin beyond the list is found")
	}
}

func TestBrokenIndex(t *testing.T) {
	good := EncodeIndex([]IndexSymbol{{Name: "a.b", Addr: 4}}, []Builtin{{"runtime.x", 1}})
	wrong := append([]byte("notindex"), good[8:]...)
	for name, b := range map[string][]byte{"empty": nil, "magic": wrong, "cut header": good[:20], "cut slots": good[:500]} {
		if _, err := OpenIndex(b); err == nil || !strings.Contains(err.Error(), "built again") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
