DELETE DATA {
$data}
