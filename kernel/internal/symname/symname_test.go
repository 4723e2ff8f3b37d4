package symname

import (
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
		if got := Package(name); got != want {
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
		if got := MentionsMain(name); got != want {
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
		if got := strings.Join(NotebookTypes(name), " "); got != want {
			t.Errorf("%s mentions %q, want %q", name, got, want)
		}
	}
}

func TestIsDictionary(t *testing.T) {
	for name, want := range map[string]bool{
		"github.com/perijove/perijove/lib/mp..dict.Queue[int]": true,
		"main..dict.Box[example.com/a..dict.b]":                true,
		"main.Box[example.com/a..dict.b]":                      false,
		"example.com/a..dict.b/c.F":                            false,
		"main..inittask":                                       false,
		"type:main.dict[int]":                                  false,
	} {
		if got := IsDictionary(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
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
		if got := WithoutTypeArgs(name); got != want {
			t.Errorf("withoutTypeArgs(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMethodNames(t *testing.T) {
	for name, want := range map[string]string{
		"main.T.M": ".M", "main.(*T).M": ".M", "main.(*T).M-fm": ".M", "main.(*L[main.T]).M-fm": ".M", "main.f": "", "main.Max[main.T]": "",
	} {
		if got := Method(name); got != want {
			t.Errorf("methodName(%q) = %q, want %q", name, got, want)
		}
	}
	if got := QualifiedMethod("main.(*L[main.T]).M-fm"); got != "L.M" {
		t.Errorf("qualified: %q", got)
	}
	types := map[string]bool{"T": true, "E·1": true, "P[int]": true}
	for name, want := range map[string]bool{
		"main.T.M": true, "main.(*T).M-fm": true, "main.L[main.T].M": true, "main.Max[[]main.T]": true, "main.(*E·1).M": true,
		"main.L[go.shape.struct { main.a int; X *main.T }].M": true, "main.TT.M": false, "main.f.T": false, "example.org/main.T.M": false,
		"main.Max[int]": false, "type:map[string]main.T": true,
		"main.P[string].M": false, "main.(*P[int]).M-fm": true, "main.P.M": false,
	} {
		if got := MentionsType(name, types); got != want {
			t.Errorf("mentions(%q) = %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]bool{"main.f.deferwrap1": true, "main.(*T).M.func2.gowrap10": true, "main.T.deferwrapper": false, "main.f.func1": false} {
		if got := IsCallWrapper(name); got != want {
			t.Errorf("isCallWrapper(%q) = %v, want %v", name, got, want)
		}
	}
}
