package racereport

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

const first = `==================
WARNING: DATA RACE
Write at 0x00c00023d3e0 by goroutine 21:
  runtime.mapassign_fast64()
      /usr/local/go/src/internal/runtime/maps/runtime_fast64.go:196 +0x0
  main.(*T[go.shape.int]).add()
      Cell [3]:2 +0x7c

Previous read at 0x00c00023d3e0 by main goroutine:
  main.cell.3.func1()
      /home/a: b/Cell [3]:12 +0x7c

Goroutine 21 (finished) created at:
  main.cell.3()
      Cell [3]:4 +0x72
==================
`

const second = `==================
WARNING: DATA RACE
Atomic write at 0x00c00030a118 by goroutine 7:
  [failed to restore the stack]

Previous write at 0x00c00030a118 by goroutine 9:
  main.f()
      Cell [1]:5 +0x44

Goroutine 9 (running) created at:
  main.cell.1()
      Cell [1]:9 +0x1c

Goroutine 7 (running) created at:
  main.cell.1()
      Cell [1]:8 +0x1c
==================
`

var parsed = []Report{
	{
		Accesses: [2]Stack{
			{What: "write", Goroutine: "21", Ended: true, Calls: []Call{
				{"runtime.mapassign_fast64", "/usr/local/go/src/internal/runtime/maps/runtime_fast64.go", 196},
				{"main.(*T[go.shape.int]).add", "Cell [3]", 2},
			}},
			{What: "read", Goroutine: "main", Calls: []Call{{"main.cell.3.func1", "/home/a: b/Cell [3]", 12}}},
		},
		Started: [2]Stack{{Goroutine: "21", Ended: true, Calls: []Call{{"main.cell.3", "Cell [3]", 4}}}, {}},
	},
	{
		Accesses: [2]Stack{
			{What: "atomic write", Goroutine: "7"},
			{What: "write", Goroutine: "9", Calls: []Call{{"main.f", "Cell [1]", 5}}},
		},
		Started: [2]Stack{
			{Goroutine: "7", Calls: []Call{{"main.cell.1", "Cell [1]", 8}}},
			{Goroutine: "9", Calls: []Call{{"main.cell.1", "Cell [1]", 9}}},
		},
	},
}

func TestParse(t *testing.T) {
	const text = "other text\n" + first + second
	got, end := Parse(text + "Found 2 data race(s)\n")
	if !reflect.DeepEqual(got, parsed) || end != len(text) {
		t.Errorf("%+v, %d", got, end)
	}
}

// TestParsePrefixes: no beginning of a text gives a report that the whole text does not have.
func TestParsePrefixes(t *testing.T) {
	const text = first + second
	for n := range len(text) {
		got, end := Parse(text[:n])
		if want := n / len(first); len(got) != want || end != want*len(first) || want > 0 && !reflect.DeepEqual(got[0], parsed[0]) {
			t.Fatalf("%d bytes: %+v, %d", n, got, end)
		}
	}
}

// TestReader: each report is returned once, when it is complete.
func TestReader(t *testing.T) {
	folder := t.TempDir()
	var r Reader
	write := func(name, text string) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(folder, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteString(text)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...Report) {
		t.Helper()
		if got := r.Read(folder); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	check()
	write("race.12", first+second[:100])
	write("other.12", second)
	check(parsed[0])
	check()
	write("race.12", second[100:])
	write("race.7", first)
	check(parsed[1], parsed[0])
	check()
}
