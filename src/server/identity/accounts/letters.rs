use super::{Accounts, Actor};
use crate::{
    domain::accounts::{LetterWishes, User},
    server::{
        AppError,
        db::{self, letters},
    },
};

impl Accounts {
    /// The letters that a user wishes to get.
    pub async fn letter_wishes(&self, user: &User) -> Result<LetterWishes, AppError> {
        Ok(letters::wishes(&mut self.db.read().await?, user.id).await?)
    }

    /// Has a user of a vendor get these letters, and no others. `Forbidden` for admins, who have no vendor.
    pub async fn set_letter_wishes(&self, user: &User, wishes: LetterWishes, actor: Actor<'_>) -> Result<(), AppError> {
        if user.vendor.is_none() {
            return Err(AppError::Forbidden);
        }
        self.write_wishes(user.id, wishes, actor).await
    }

    /// Has somebody get no letters any more.
    pub async fn stop_letters(&self, user: i64, address: Option<&str>) -> Result<(), AppError> {
        let login = db::accounts::find_login_by_id(&self.db, user).await?.ok_or(AppError::NotFound)?;
        self.write_wishes(user, LetterWishes::default(), Actor { name: &login.user.email, address }).await
    }

    async fn write_wishes(&self, user: i64, wishes: LetterWishes, actor: Actor<'_>) -> Result<(), AppError> {
        let mut tx = self.db.write().await?;
        letters::set_wishes(&mut tx, user, wishes).await?;
        let detail = match (wishes.weekly_report, wishes.low_stock) {
            (false, false) => "none",
            (true, false) => "weekly report",
            (false, true) => "low stock",
            (true, true) => "weekly report, low stock",
        };
        db::accounts::insert_audit(&mut tx, &actor.entry("letters", detail)).await?;
        Ok(tx.commit().await?)
    }
}
