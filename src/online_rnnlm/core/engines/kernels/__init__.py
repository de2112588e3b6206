"""The equations of `core.graph` as compiled loops: fast, and tested against the plain graph.

Read them in this order: `data` has the arguments, `layout` puts the words of a batch side by side,
`elementwise` has functions of rows, `dropout` leaves units out, `cells` computes hidden states and
goes back through them, `forward` predicts words, `learning` has the rules of a step, `deferred` the
updates by words of rare classes, and `backward` updates weights. `batches` trains and scores by
them; `online` scores while weights are updated.

The document vector feeds the output layer alone, so hidden states do not depend on it: those of a
whole batch come first.

Backpropagation, for the word w = w_{t+1} of class c, whose loss is L_t:

    class_deltas  δ_c = P(·) - 1[c]            by the scores of the classes
    word_deltas   δ_w = P(·|c) - 1[w]          by the scores of the words of c
                  ∂L_t/∂h_t = W_cᵀ δ_c + W_o[c]ᵀ δ_w
                  ∂L/∂h_t   = ∂L_t/∂h_t + W_hᵀ δ_t+1
                  δ_t = clip(∂L/∂h_t ⊙ h_t ⊙ (1 - h_t))      by the sigmoid's inputs
                  ∂L_t/∂d_t = V_cᵀ δ_c + V_o[c]ᵀ δ_w

    ∂L/∂W_c = Σ δ_c hᵀ      ∂L/∂W_o[c] = Σ δ_w hᵀ      ∂L/∂W_h = Σ δ_t h_{t-1}ᵀ
    ∂L/∂V_c = Σ δ_c dᵀ      ∂L/∂V_o[c] = Σ δ_w dᵀ      ∂L/∂E[w_t] = Σ δ_t

Deltas are derivatives with respect to softmax or sigmoid inputs; clip limits δ_t to ±error_clip.
V_c and V_o are stored transposed. A word that is alone in its class has P(w|c) = 1: it needs
no score, and has no deltas. Matrices are in row-major order, with a row for every word or segment;
all reals have the weights' dtype, and log-probabilities are float64. The functions have no
annotations, as numba infers their types.

numba keeps the machine code in the folder that NUMBA_CACHE_DIR names. It does not see a change of
a function that is called from another file, so `process.environment` names a folder of its own for
every state of the kernels. `compilation` compiles all of them, in a process of its own
(`process.kernels`).
"""
