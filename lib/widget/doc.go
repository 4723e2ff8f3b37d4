// Package widget puts the controls of ipywidgets into a notebook: sliders,
// menus, buttons, progress bars. A control's value is up to date in the program
// while a cell runs, and between cells.
//
//	widget.Interact(func(workers int) any { return curve(workers) }, widget.Range("workers", 1, 8))
//
// [Interact] makes a control for each parameter of a function, shows them and what
// the function returns, a plot for example, and calls it again whenever one of them
// changes. [Live] does the same for controls that were made before:
//
//	workers := widget.NewIntSlider("workers", 1, 8, 2)
//	widget.Live(func() any { return curve(workers.Value()) }, workers)
//
// Types have the names that ipywidgets gives them, and each type or family of
// types has its file:
//
//	IntSlider, FloatSlider, IntRangeSlider, FloatRangeSlider      slider.go
//	Dropdown, RadioButtons, ToggleButtons, SelectMultiple         selection.go
//	Checkbox                                                      checkbox.go
//	Text, Textarea, IntText, FloatText                            text.go
//	Button                                                        button.go
//	Play                                                          play.go
//	DatePicker                                                    datepicker.go
//	FileUpload                                                    upload.go
//	IntProgress, FloatProgress                                    progress.go
//	HTML, Label                                                   html.go
//	Output                                                        output.go
//	HBox, VBox, GridBox                                           box.go
//	Tab, Accordion                                                pages.go
//
// [Link] and [JSLink] keep the values of two controls equal.
//
// The front end needs the extension of ipywidgets 8: jupyterlab_widgets in
// JupyterLab (it comes with ipywidgets), and nothing in VS Code. In a program
// that no notebook runs, and where the extension is missing, controls keep the
// values that they were made with.
//
// The kernel keeps what widgets show: a page that is loaded again, or opened a
// second time, asks for it. Once the kernel has ended, a page shows no widgets; of
// [Live] and [Interact] the last result is then an ordinary output, which the
// notebook file holds.
//
// Functions passed to OnChange, OnClick, Live and Interact are called one at a time
// for each control, in a goroutine that the control starts. While one of them
// runs, changes are merged: it is called once more, with the last value.
//
// Source: the Jupyter widgets' messaging protocol 2.1 and model state 8.0
// (@jupyter-widgets/schema).
package widget
