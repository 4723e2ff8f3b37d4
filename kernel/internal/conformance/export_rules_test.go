package conformance

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	nbfile "github.com/perijove/perijove/kernel/internal/notebook"
)

// A rule says how the text of a cell may differ between two runs. The zero rule is exact: the texts are equal.
type rule int

const (
	exact    rule = iota
	numbers       // only numbers and their units differ; see withoutNumbers
	anyOrder      // as numbers; goroutines and processes print the lines in any order
	chosen        // results of measurements choose among the texts of the notebook and the library: all words are from their string literals
	perhaps       // as chosen; whether the cell prints anything depends on a measurement
	recorded      // an execution trace: the numbers of cores and of processes are the same
)

// varying lists the cells of this project's notebooks whose text differs between two runs of the same notebook. All others are compared exactly.
var varying = map[string]map[string]rule{
	"01-shared-x": {
		"run-x":      anyOrder, // ids of processes, and the values that they see at different times
		"measure":    chosen,
		"chart":      chosen,
		"summary":    chosen,
		"start-cost": numbers, // times
	},
	"02-queues-pipes-pools": {
		"progress":      numbers, // the results arrive in any order
		"count":         numbers, // additions are lost, which the cell shows
		"lost-result":   chosen,
		"mutex":         numbers, // it shows the lost additions again
		"queue":         numbers, // which process found a number
		"cost-numbers":  numbers, // times
		"copies-global": numbers, // which process got how many tasks
		"kill":          chosen,  // which tasks are done when the first process dies
		"retry":         numbers, // how many processes died
		"lock":          numbers, // the id of the process
	},
	"03-speedup": {
		"naive":            numbers, // times
		"measure":          chosen,
		"chart":            chosen,
		"summary":          chosen,
		"amdahl":           chosen,
		"amdahl-result":    chosen,
		"gustafson":        chosen,
		"gustafson-result": chosen,
		"grain-result":     chosen,
		"memory":           chosen,
		"memory-numbers":   chosen,
		"python-table":     chosen,
	},
	"04-python-and-go": {
		"run-python": anyOrder, // as in notebook 01
		"run-go":     anyOrder,
		"compare":    chosen,
		"disturbed":  perhaps,
	},
	"05-many-machines": {
		"measure":     chosen,
		"chart":       chosen,
		"summary":     chosen,
		"kill-result": chosen, // the ids of processes, and which had returned results before one was killed
	},
	"06-seeing": {
		"orders":         recorded,
		"orders-result":  chosen,
		"lock-cure":      recorded,
		"lock-result":    chosen,
		"sharing-result": chosen,
		"hot-cure":       chosen,
		"race":           numbers, // a data race loses additions, which the cell shows
	},
}

// compare returns an error if two texts of a cell differ in another way than the rule allows.
func (r rule) compare(want, got string, words map[string]bool) error {
	if r != perhaps && (want == "") != (got == "") {
		return errors.New("only one of them printed something")
	}
	switch r {
	case exact:
		if got != want {
			return errors.New("the texts differ")
		}
	case numbers:
		if withoutNumbers(got) != withoutNumbers(want) {
			return errors.New("more than numbers differ")
		}
	case anyOrder:
		if !slices.Equal(sortedWithoutNumbers(got), sortedWithoutNumbers(want)) {
			return errors.New("more than numbers and the order of lines differ")
		}
	case chosen, perhaps:
		for _, text := range []string{got, want} {
			for _, w := range strings.Fields(text) {
				for _, part := range parts(w) {
					if !words[part] {
						return fmt.Errorf("neither the notebook nor the library has the word %q", part)
					}
				}
			}
		}
	case recorded:
		if processesOf(got) != processesOf(want) || processesOf(want) == "" {
			return errors.New("the traces have other processes")
		}
	}
	return nil
}

func sortedWithoutNumbers(text string) []string {
	var list []string
	for line := range strings.Lines(withoutNumbers(text)) {
		list = append(list, strings.TrimSpace(line))
	}
	slices.Sort(list)
	return list
}

// processesOf returns the numbers of cores and processes in the text of an execution trace, which begins with
// "253ms on 2 cores, 3 processes, 1791 events", and how many lines describe child processes.
func processesOf(text string) string {
	line, rest, _ := strings.Cut(text, "\n")
	fields := strings.Split(line, ", ")
	_, cores, ok := strings.Cut(fields[0], " on ")
	if !ok || len(fields) != 3 {
		return ""
	}
	return fmt.Sprint(cores, ", ", fields[1], ", ", strings.Count("\n"+rest, "\nchild "))
}

// parts returns the runs of letters in a word that are neither units nor the number NaN.
func parts(word string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }), func(s string) bool {
		return s == "NaN" || slices.Contains(units, s)
	})
}

// vocabulary returns the words in the string literals of a notebook's cells, and of the packages whose results it shows, with the names of types and fields,
// which are the heads of tables.
func vocabulary(t *testing.T, nb *nbfile.Notebook) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	for _, c := range nb.Cells {
		if c.Type == nbfile.CodeCell {
			addWords(words, c.Source, true)
		}
	}
	for _, folder := range []string{"lib/speedup", "lib/speedup/chart", "lib/speedup/pools", "lib/mp", "lib/mp/internal/failure", "lib/exectrace"} {
		files, err := filepath.Glob("../../../" + folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") {
				addWords(words, string(text), false)
			}
		}
	}
	return words
}

// addWords adds the words in the string literals of a source, and its identifiers if names is true.
func addWords(words map[string]bool, source string, names bool) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(source))
	s.Init(file, []byte(source), func(token.Position, string) {}, 0)
	for {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return
		case tok == token.IDENT && names:
			words[lit] = true
		case tok == token.STRING:
			text, err := strconv.Unquote(lit)
			if err != nil {
				continue
			}
			for _, w := range strings.Fields(text) {
				for _, part := range parts(w) {
					words[part] = true
				}
			}
		}
	}
}

func TestRules(t *testing.T) {
	words := map[string]bool{"faster": true, "slower": true, "by": true}
	trace := "253ms on 2 cores, 2 processes, 1791 events\nprocess 1, 1 goroutine\nchild 2, 1 goroutine\n"
	for _, test := range []struct {
		rule       rule
		want, got  string
		areAllowed bool
	}{
		{exact, "a 1\n", "a 1\n", true},
		{exact, "a 1\n", "a 2\n", false},
		{numbers, "a 1 ms\n", "a 2 s\n", true},
		{numbers, "a 1\n", "b 1\n", false},
		{numbers, "", "1\n", false},
		{anyOrder, "a 1\nb 2\n", "b 3\na 4\n", true},
		{anyOrder, "a 1\nb 2\n", "a 3\na 4\n", false},
		{chosen, "faster by 1 ms", "slower by 2 s", true},
		{chosen, "faster by 1 ms", "panic by 2 s", false},
		{chosen, "faster", "", false},
		{perhaps, "faster", "", true},
		{recorded, trace, strings.Replace(trace, "2 processes", "3 processes", 1), false},
		{recorded, trace, trace + "child 3, 1 goroutine\n", false},
		{recorded, trace, strings.ReplaceAll(trace, "253", "17"), true},
		{recorded, "", "", false},
	} {
		if err := test.rule.compare(test.want, test.got, words); (err == nil) != test.areAllowed {
			t.Errorf("rule %d: %q and %q: %v", test.rule, test.want, test.got, err)
		}
	}
}
