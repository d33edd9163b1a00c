//! What becomes of the fields of `wait`.

use crate::armada::disposition::rows;

rows! { "Chart";
    WAIT "data.wait" Any Mapped Tree "spec.timeout, spec.install, spec.upgrade" "waiting of Helm itself and limits";
    TIMEOUT "data.wait.timeout" Any Mapped Tree "spec.timeout" "seconds, 900 when absent; Flux counts them for each action of Helm";
    NATIVE "data.wait.native" Any Mapped Tree "spec.waitStrategy, spec.install, spec.upgrade" "Helm's own waiting" since 2 8;
    NATIVE_ENABLED "data.wait.native.enabled" Any Mapped Tree "spec.waitStrategy, disableWait" "on by default in v1, off in v2; older Flux waits by its own rules" since 2 8;
    LABELS "data.wait.labels" Any Approximated Apply "annotation armada2flux.dev/gates" "`apply` acts on it, plain Flux does not: which objects Armada's own waits look at; without any, all of the namespace";
    RESOURCES "data.wait.resources" Any Approximated Apply "annotation armada2flux.dev/gates" "`apply` acts on it, plain Flux does not: Armada's own waits, after Helm and its hooks: a list, in v2 also a mapping by type over the defaults; [] means none";
    RESOURCE "data.wait.resources[]" Any Approximated Apply "annotation armada2flux.dev/gates" "`apply` acts on it, plain Flux does not: one wait; in v2's mapping a type's entry, a list of entries, or false for none";
    RESOURCE_TYPE "data.wait.resources[].type" Any Approximated Apply "annotation armada2flux.dev/gates" "`apply` acts on it, plain Flux does not: job, pod, deployment, statefulset or daemonset; in v2's mapping the key sets it";
    RESOURCE_LABELS "data.wait.resources[].labels" Any Approximated Apply "annotation armada2flux.dev/gates" "`apply` acts on it, plain Flux does not: merged over wait.labels";
    RESOURCE_MIN_READY "data.wait.resources[].min_ready" Any Approximated Apply "annotation armada2flux.dev/gates" "`apply` acts on it, plain Flux does not: number or percentage of a deployment, statefulset or daemonset; 100% when absent";
    RESOURCE_REQUIRED "data.wait.resources[].required" V2 Approximated Apply "annotation armada2flux.dev/gates" "`apply` acts on it, plain Flux does not: whether finding none is a failure; true when absent, false in the defaults";
    RESOURCE_ASYNC "data.wait.resources[].allow_async_updates" V2 Approximated Apply "annotation armada2flux.dev/gates" "`apply` acts on it, plain Flux does not: whether OnDelete and partitioned updates pass; not in the schema, but Armada's code reads it";
}
