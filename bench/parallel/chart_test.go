package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestChartOfTheREADMEIsNew checks that the chart stored in docs is drawn from the data stored beside it.
func TestChartOfTheREADMEIsNew(t *testing.T) {
	name := filepath.Join("..", "..", "docs", "parallel")
	d, err := readDrawing(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Results) == 0 {
		t.Fatal("there are no results")
	}
	drawn := filepath.Join(t.TempDir(), "drawn")
	if err := d.save(drawn); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".json", ".svg"} {
		got, err := os.ReadFile(drawn + ext)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(name + ext)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what parallel.json gives; docs/pictures makes it anew", name+ext)
		}
	}
}
