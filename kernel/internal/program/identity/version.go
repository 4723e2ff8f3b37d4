package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ListFields are the fields of the output of go list that Version reads.
const ListFields = "ImportPath,Dir,Standard,Module,Error,GoFiles,CgoFiles,CFiles,HFiles,SFiles,EmbedFiles"

// A listed is a package in the output of go list -deps.
type listed struct {
	ImportPath, Dir                                       string
	Standard                                              bool
	GoFiles, CgoFiles, CFiles, HFiles, SFiles, EmbedFiles []string
	Error                                                 *struct{ Err string }
	Module                                                *struct {
		Path, Version string
		Main          bool
		Replace       *struct{ Path, Version string }
	}
}

// Version returns a text that identifies the versions of a package and of all packages that it imports: the versions
// of their modules, and hashes of the packages that are in local folders. Two programs in which these are the same
// have equal texts. list is the output of go list -deps -json with ListFields.
func Version(list []byte) (string, error) {
	var lines []string
	for dec := json.NewDecoder(bytes.NewReader(list)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return "", err
		}
		line, err := p.version()
		if err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n"), nil
}

func (p *listed) version() (string, error) {
	switch m := p.Module; {
	case p.Error != nil:
		return "", fmt.Errorf("cannot find the version of package %s: %s", p.ImportPath, p.Error.Err)
	case p.Standard || IsLibrary(p.ImportPath):
		return "", nil
	case m == nil:
		return "", fmt.Errorf("cannot find the version of package %s, which belongs to no module", p.ImportPath)
	case m.Main || m.Replace != nil && m.Replace.Version == "":
		hash, err := p.content()
		return p.ImportPath + " " + hash, err
	case m.Replace != nil:
		return m.Path + " " + m.Replace.Path + "@" + m.Replace.Version, nil
	default:
		return m.Path + "@" + m.Version, nil
	}
}

// content returns the hash of the package's files.
func (p *listed) content() (string, error) {
	h := sha256.New()
	for _, name := range slices.Sorted(slices.Values(slices.Concat(p.GoFiles, p.CgoFiles, p.CFiles, p.HFiles, p.SFiles, p.EmbedFiles))) {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, "%s %d\n%s", name, len(text), text) // writing to a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}
