package notebook

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// jupyterFile is a file in JupyterLab's form, with fields that this package does not know.
const jupyterFile = `{
 "cells": [
  {
   "attachments": {
    "a.png": {
     "image/png": "aGk="
    }
   },
   "cell_type": "markdown",
   "id": "c1",
   "metadata": {
    "future": {
     "a": [],
     "b": 1.50
    }
   },
   "source": [
    "# T <&>\n",
    "é"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 3,
   "id": "c2",
   "metadata": {
    "tags": [
     "x"
    ]
   },
   "outputs": [
    {
     "data": {
      "application/vnd.x+json": {
       "z": 12345678901234567890
      },
      "text/plain": [
       "1\n",
       "2"
      ]
     },
     "execution_count": 3,
     "metadata": {},
     "output_type": "execute_result",
     "unknown": null
    }
   ],
   "source": []
  },
  {
   "cell_type": "raw",
   "id": "c3",
   "metadata": {},
   "source": [
    "one string"
   ]
  }
 ],
 "metadata": {
  "kernelspec": {
   "name": "perijove"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5,
 "zzz": {}
}
`

func TestUnchangedNotebookIsTheSameFile(t *testing.T) {
	for _, file := range []string{jupyterFile, strings.TrimSuffix(jupyterFile, "\n")} {
		nb, err := Parse([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := nb.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != jupyterFile {
			t.Errorf("got:\n%s\nwant:\n%s", got, jupyterFile)
		}
	}
}

func TestParseReadsCells(t *testing.T) {
	nb, err := Parse([]byte(jupyterFile))
	if err != nil {
		t.Fatal(err)
	}
	c := nb.Cells[1]
	if nb.Cells[0].Source != "# T <&>\né" || nb.Cells[0].Attachments["a.png"]["image/png"] != "aGk=" || nb.Cells[2].Source != "one string" {
		t.Errorf("text cells are %+v, %+v", nb.Cells[0], nb.Cells[2])
	}
	if c.ID != "c2" || c.ExecutionCount != 3 || !c.HasTag("x") || c.Outputs[0].Data["text/plain"] != "1\n2" {
		t.Errorf("code cell is %+v", c)
	}
}

func TestParseErrorsSayWhatToDo(t *testing.T) {
	tests := []struct{ file, want string }{
		{"", "the file is empty"},
		{"{\n \"cells\": [}", "line 2, column 12"},
		{"<<<<<<< HEAD\n{}", "line 1, column 1"},
		{"{} {}", "invalid JSON at line 1, column 4"},
		{"\xff", "not UTF-8"},
		{"[]", "a list where an object is expected"},
		{"{}", `no "nbformat"`},
		{`{"nbformat":"4"}`, `"nbformat"`},
		{`{"nbformat":3,"worksheets":[]}`, "jupyter nbconvert --to notebook"},
		{`{"nbformat":5,"cells":[]}`, "newer than format 4"},
		{`{"nbformat":4}`, `no "cells"`},
		{`{"nbformat":4,"cells":null}`, `"cells" is null`},
		{`{"nbformat":4,"cells":{}}`, `"cells" is an object`},
		{`{"nbformat":4,"cells":[3]}`, "cell 1 of 1 is invalid: the value is a number where an object is expected"},
		{`{"nbformat":4,"cells":[{}]}`, `cell 1 of 1 is invalid: the cell has no "cell_type"`},
		{`{"nbformat":4,"cells":[{"cell_type":"code","source":[1]}]}`, `the field "source" is invalid: the value is a list where text or a list of lines`},
		{`{"nbformat":4,"cells":[{"cell_type":"heading"}]}`, `"heading" is not code, markdown or raw`},
		{`{"nbformat":4,"cells":[{"cell_type":"code","outputs":[{}]}]}`, `no "output_type"`},
	}
	for _, tt := range tests {
		if _, err := Parse([]byte(tt.file)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q in it", tt.file, err, tt.want)
		}
	}
}

func TestSplitLinesAsPython(t *testing.T) {
	got := splitLines("a\nb\r\nc\rd\fe\u2028f\n\n")
	want := []string{"a\n", "b\r\n", "c\r", "d\f", "e\u2028", "f\n", "\n"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWriteReplacesTheFileInOneStep(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.ipynb")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.ipynb")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	nb, err := Parse([]byte(jupyterFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := nb.Write(link); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, []byte(jupyterFile)) {
		t.Errorf("file is %q, %v", got, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := nb.Write(filepath.Join(dir, "no", "a.ipynb")); err == nil {
		t.Error("a missing folder gave no error")
	}
}
