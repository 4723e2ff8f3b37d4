package notebook

import (
	"strings"
	"testing"
)

const parametersCell = `import (
	"os"
)
// How many workers to measure.
var workers = []int{1, 2}
type Mode string
var mode Mode = "fast"
modes := []Mode{"a"}
timeout, ratio := 2*time.Second, 0.5
var waits []time.Duration
verbose := false // Print more.
name := "x"
names := []string{"a"}
var small int8
var u uint
const limit = 3
table := map[string]int{}
file := os.Stdout
if verbose { hidden := 1 }`

func inject(t *testing.T, assignments ...string) (string, error) {
	t.Helper()
	nb := parse(t, "before", "#parameters\n"+parametersCell, "after")
	err := nb.SetParameters(assignments)
	if err != nil {
		if len(nb.Cells) != 3 {
			t.Error("a failed SetParameters changed the notebook")
		}
		return "", err
	}
	if len(nb.Cells) != 4 || !nb.Cells[2].HasTag(TagInjected) || nb.Cells[1].Source != parametersCell {
		t.Fatalf("cells are %+v", nb.Cells)
	}
	return strings.TrimPrefix(nb.Cells[2].Source, "// Parameters of this run\n"), nil
}

func TestParameterValues(t *testing.T) {
	tests := []struct{ assignment, want string }{
		{"workers=1,2,4", "workers = []int{1, 2, 4}"},
		{" workers = 8", "workers = []int{8}"},
		{"workers=", "workers = []int{}"},
		{"workers=[]int{1, 0x10}", "workers = []int{1, 0x10}"},
		{"mode=slow", `mode = "slow"`},
		{"modes=a,b", `modes = []Mode{"a", "b"}`},
		{`modes=[]Mode{"a,b"}`, `modes = []Mode{"a,b"}`},
		{"timeout=1.5s", "timeout = 1500 * time.Millisecond"},
		{"timeout=90m", "timeout = 90 * time.Minute"},
		{"timeout=0s", "timeout = 0"},
		{"waits=1s,2us", "waits = []time.Duration{1 * time.Second, 2 * time.Microsecond}"},
		{"waits=[]time.Duration{time.Second}", "waits = []time.Duration{time.Second}"},
		{"ratio=1e-3", "ratio = 0.001"},
		{"verbose=true", "verbose = true"},
		{"name= a \"b\"=c", `name = " a \"b\"=c"`},
		{"name=", `name = ""`},
		{"names=a, b", `names = []string{"a", "b"}`},
		{"small=-128", "small = -128"},
		{"u=1_000", "u = 1000"},
	}
	for _, tt := range tests {
		if got, err := inject(t, tt.assignment); err != nil || got != tt.want {
			t.Errorf("%q gives %q, %v; want %q", tt.assignment, got, err, tt.want)
		}
	}
}

func TestParameterErrors(t *testing.T) {
	tests := []struct{ assignment, want string }{
		{"worker=1", "there is no parameter worker; the parameters are: workers []int, mode Mode, modes []Mode, timeout time.Duration, ratio float64"},
		{"hidden=1", "no parameter hidden"},
		{"limit=4", "limit is a constant: declare it with var or :="},
		{"workers", "write NAME=VALUE"},
		{"9a=1", "write NAME=VALUE"},
		{"workers=1,two", `cannot set the parameter workers: element 2 of the []int is invalid: the value must be a whole number of type int, not "two"`},
		{"workers=1,,2", `element 2 of the []int is invalid: the value must be a whole number`},
		{"workers=[]string{\"a\"}", "the value must be a list such as 1,2,4 or a literal of type []int"},
		{"workers=[]int{f()}", "undefined: f"},
		{"workers=[]int{len([]int{1,2}[0:1])}", "a literal of type []int whose elements are constants, not"},
		{"workers=[]int{1", "line 1"},
		{"small=128", "a whole number of type int8 within its range"},
		{"u=-1", "a number of type uint (0 or more)"},
		{"ratio=fast", "the value must be a number such as 0.5 or 1e6"},
		{"ratio=NaN", "a finite number"},
		{"verbose=yes", "the value must be true or false"},
		{"timeout=5", "the value must be a duration such as 1.5s or 300ms"},
		{"table=1", "values of type map[string]int cannot be set"},
		{"file=1", "values of type"},
	}
	for _, tt := range tests {
		if _, err := inject(t, tt.assignment); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q in it", tt.assignment, err, tt.want)
		}
	}
	if _, err := inject(t, "small=1", "small=2"); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("given twice: error %v", err)
	}
}

func TestParametersNeedATaggedCell(t *testing.T) {
	if err := parse(t, "var x = 1").SetParameters([]string{"x=2"}); err == nil || !strings.Contains(err.Error(), `"parameters"`) {
		t.Errorf("error %v", err)
	}
	err := parse(t, "#parameters\nvar x = 1\nx := := 3").SetParameters([]string{"x=2"})
	if err == nil || !strings.Contains(err.Error(), "cell 1, which is tagged parameters: line 2, column 6") {
		t.Errorf("error %v", err)
	}
}

func TestParametersReplaceThoseOfAnEarlierRun(t *testing.T) {
	nb := parse(t, "#parameters\nvar x, y = 1, 2")
	for _, a := range []string{"x=3", "y=4"} {
		if err := nb.SetParameters([]string{a}); err != nil {
			t.Fatal(err)
		}
	}
	if len(nb.Cells) != 2 || nb.Cells[1].Source != "// Parameters of this run\ny = 4" {
		t.Errorf("cells are %+v", nb.Cells)
	}
	data, err := nb.Bytes()
	if err != nil || !strings.Contains(string(data), `"injected-parameters"`) {
		t.Errorf("written as %s, %v", data, err)
	}
}

func TestParametersDescribed(t *testing.T) {
	found, err := parse(t, "#parameters\n"+parametersCell).Parameters()
	if err != nil {
		t.Fatal(err)
	}
	described := map[string][3]string{}
	for _, p := range found {
		described[p.Name] = [3]string{p.TypeString(), p.Default, p.Comment}
	}
	for name, want := range map[string][3]string{
		"workers": {"[]int", "[]int{1, 2}", "How many workers to measure."},
		"mode":    {"Mode", `"fast"`, ""},
		"modes":   {"[]Mode", `[]Mode{"a"}`, ""},
		"timeout": {"time.Duration", "2 * time.Second", ""},
		"waits":   {"[]time.Duration", "", ""},
		"verbose": {"bool", "false", "Print more."},
		"name":    {"string", `"x"`, ""},
	} {
		if described[name] != want {
			t.Errorf("%s is described as %q, want %q", name, described[name], want)
		}
	}
}

func TestParameterKinds(t *testing.T) {
	cell := `type M map[string]int; type P struct{ A int }
var m M; var s []int; var a [3]int; var p P; q := &p; var e any; f := func() {}; var c chan int
b, i, u, g, z, t := true, time.Second, uint8(1), 0.5, 1i, "x"; var l big.Int; o := os.Stdout; var n map[string]big.Word`
	found, err := parse(t, "#parameters\n"+cell).Parameters()
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, p := range found {
		kinds = append(kinds, p.Name+" "+p.Kind())
		if known := p.Name != "l" && p.Name != "o" && p.Name != "n"; known != (p.TypeString() != "") {
			t.Errorf("%s has type %q", p.Name, p.TypeString())
		}
	}
	want := "m map, s slice, a array, p struct, q pointer, e interface, f func, c chan, " +
		"b bool, i int, u uint, g float, z complex, t string, l , o , n map"
	if got := strings.Join(kinds, ", "); got != want {
		t.Errorf("kinds are\n%s, want\n%s", got, want)
	}
}
