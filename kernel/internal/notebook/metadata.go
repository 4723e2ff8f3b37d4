package notebook

import (
	"cmp"
	"encoding/json"
	"strings"
)

// Language returns the programming language of the code cells according to the notebook's
// metadata, such as "go" or "python", or "" if the metadata does not have it.
func (nb *Notebook) Language() string {
	var metadata struct {
		Kernelspec struct {
			Language string `json:"language"`
		} `json:"kernelspec"`
		Info struct {
			Name string `json:"name"`
		} `json:"language_info"`
	}
	raw, _ := nb.obj.get("metadata")
	if json.Unmarshal(raw, &metadata) != nil { // metadata of another form is not an error
		return ""
	}
	return strings.ToLower(cmp.Or(metadata.Kernelspec.Language, metadata.Info.Name))
}

// SetKernel records the kernel that has run the cells, as JupyterLab does when it opens the notebook. language is the
// kernel's description of its language, and spec its kernelspec. If the notebook already has a kernelspec, SetKernel
// keeps it.
func (nb *Notebook) SetKernel(spec, language any) error {
	var metadata object
	if err := nb.obj.decode("metadata", &metadata); err != nil {
		return err
	}
	if _, ok := metadata.get("kernelspec"); !ok {
		if err := metadata.set("kernelspec", spec); err != nil {
			return err
		}
	}
	if err := metadata.set("language_info", language); err != nil {
		return err
	}
	return nb.obj.set("metadata", metadata)
}
