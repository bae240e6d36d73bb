use leptos::{nonce::use_nonce, prelude::*};

/// Something that is shown once, to be kept elsewhere: with a button that copies it, where the browser lets scripts.
pub fn secret(text: String) -> AnyView {
    const CODE: &str = "for(const button of \
        document.querySelectorAll('[data-copy]')){button.hidden=!navigator.clipboard;\
        button.addEventListener('click',async()=>{\
        await navigator.clipboard.writeText(button.previousElementSibling.textContent);button.textContent='Copied'})}";
    view! {
        <p class="actions">
            <code class="secret">{text}</code>
            <button type="button" class="quiet" data-copy="" hidden>"Copy"</button>
        </p>
        <script type="module" nonce=use_nonce()>{CODE}</script>
    }
    .into_any()
}
